package haproxy

import (
	"slices"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// methods are the options that choose how servers are checked, and the kind of check each is as far as the topology
// tells them apart.
var methods = map[string]topology.CheckKind{
	"httpchk": topology.CheckHTTP, "tcp-check": topology.CheckTCP, "ssl-hello-chk": topology.CheckTLS,
	"smtpchk": "", "mysql-check": "", "pgsql-check": "", "redis-check": "", "ldap-check": "", "spop-check": "", "external-check": "",
}

// isCheckMethod reports whether a line chooses how servers are checked. `no option httpchk` makes it unclear.
func isCheckMethod(l line) bool {
	i := 0
	if l.is("no") {
		i = 1
	}
	_, ok := methods[l.word(i+1).text]
	return ok && l.word(i).text == "option"
}

// check reads how the servers of a pool are checked. Where they differ the check is unknown.
func (r *reader) check(s *section, members []member) topology.Check {
	out := topology.Check{Span: s.head}
	var asked []member // those that are checked in their own right
	certain := true
	for _, m := range members {
		certain = certain && m.Checked.Known()
		if m.params.has("check") {
			asked = append(asked, m)
		}
		certain = certain && (m.params.has("check") || !m.Checked.V)
	}
	if len(asked) == 0 {
		if certain && len(members) > 0 {
			out.Kind = topology.DefaultAt(topology.CheckNone, s.head)
		}
		return out
	}
	m := s.method()
	out.Span = m.line.at
	if m.how == absent {
		out.Span = asked[0].params.set["check"].keyword.at
	}
	out.Kind = agree(asked, func(v member) topology.Value[topology.CheckKind] { return m.kind(v, out.Span) })
	out.Method, out.Path = m.verb, m.path
	if out.Kind.V == topology.CheckHTTP && asked[0].params.has("no-check-ssl") {
		out.Plain = topology.SetAt(true, asked[0].params.set["no-check-ssl"].keyword.at)
	}
	out.Port = agree(asked, m.port)
	m.times(&out, s, asked)
	if out.Kind.V == topology.CheckHTTPS || out.Kind.V == topology.CheckTLS && !m.line.is("option", "ssl-hello-chk") {
		r.identity(&out, asked)
	}
	return out
}

// agree is the fact that all servers have in common.
func agree[T comparable](members []member, fact func(member) topology.Value[T]) topology.Value[T] {
	first := fact(members[0])
	for _, m := range members[1:] {
		if next := fact(m); next.V != first.V || !next.Known() {
			return topology.UnknownAt[T](m.Span)
		}
	}
	return first
}

// times reads how often, how long and how many times servers are asked.
func (m *method) times(out *topology.Check, s *section, asked []member) {
	duration := func(keyword string, builtin time.Duration) topology.Value[time.Duration] {
		return agree(asked, func(v member) topology.Value[time.Duration] {
			return paramOf(v.params, keyword, readTime, builtin, v.Span)
		})
	}
	count := func(keyword string, builtin int) topology.Value[int] {
		return agree(asked, func(v member) topology.Value[int] { return paramOf(v.params, keyword, readCount, builtin, v.Span) })
	}
	out.Interval = duration("inter", 2*time.Second)
	out.IntervalAt = places("inter", asked)
	out.Fast = duration("fastinter", out.Interval.V)
	out.Down = duration("downinter", out.Interval.V)
	if !out.Interval.Known() {
		out.Fast, out.Down = unlessDefaulted(out.Fast), unlessDefaulted(out.Down)
	}
	out.Fall, out.Rise = count("fall", 3), count("rise", 2)
	if out.Timeout = timeout(s, "check"); out.Timeout.State == topology.Defaulted {
		out.Timeout = out.Interval // HAProxy gives a check as long as the next one is away
		if out.Timeout.Known() {
			out.Timeout.State = topology.Defaulted
		}
	}
}

// places are where servers state a parameter, if that is more than one place.
func places(keyword string, members []member) []diag.Span {
	var out []diag.Span
	for _, m := range members {
		if p, ok := m.params.set[keyword]; ok && !slices.Contains(out, p.value.at) {
			out = append(out, p.value.at)
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

func unlessDefaulted(v topology.Value[time.Duration]) topology.Value[time.Duration] {
	if v.State == topology.Defaulted {
		return topology.UnknownAt[time.Duration](v.Span)
	}
	return v
}

// identity reads the certificates of a check over TLS.
func (r *reader) identity(out *topology.Check, asked []member) {
	file := func(keyword string) topology.Value[string] {
		return agree(asked, func(v member) topology.Value[string] { return paramOf(v.params, keyword, readText, "", v.Span) })
	}
	out.Cert, out.CA = file("crt"), file("ca-file")
	out.Key = beside(out.Cert)
	for _, m := range asked {
		worse(&out.Verify, r.verifies(m))
	}
}

// method is how a section's servers are checked: the option that says so, and the rules of its dialogue.
type method struct {
	dialogue
	line line
	how  found
	sure bool // the rules are all there is
}

// dialogue is what the http-check or tcp-check rules of a section come to.
type dialogue struct {
	verb, path topology.Value[string]
	connect    *line // the last connect rule
	connects   int
	sends      int
	talks      bool // over TCP: more than connecting
}

func (s *section) method() method {
	m := method{sure: true}
	m.line, m.how = s.search(checkMethod)
	if m.how == unclear && s.alone() && !s.opaque && modeOf(s).V == topology.TCP {
		m.how = absent // few ask all servers of all pools alike, least of all over TCP
	}
	var topic string
	switch {
	case m.how == present && m.line.word(0).unknown: // in a block that may not hold
		m.how = unclear
		return m
	case m.how != present:
		return m
	case m.line.is("option", "httpchk"):
		topic = "http-check"
	case m.line.is("option", "tcp-check"):
		topic = "tcp-check"
	default:
		return m
	}
	owner, sure := s.owner(topic)
	if m.sure = sure; owner != nil {
		m.dialogue = *owner.dialogue(topic)
		m.sure = sure && m.connects < 2
	}
	if topic == "http-check" {
		m.request()
	}
	return m
}

func (s *section) dialogue(topic string) *dialogue {
	if d, ok := s.dialogues[topic]; ok {
		return d
	}
	d := &dialogue{}
	s.dialogues[topic] = d
	for _, l := range s.by[topic] {
		switch {
		case l.is(topic, "connect"):
			d.connect = &l
			d.connects++
		case l.is("http-check", "send"):
			d.sends++
			d.send(l)
		case l.is("tcp-check", "send"), l.is("tcp-check", "expect"), l.is("tcp-check", "send-binary"):
			d.talks = true
		}
	}
	return d
}

// send reads what `http-check send` says.
func (d *dialogue) send(l line) {
	for i := 2; i < len(l.words); i++ {
		if at := l.words[i].at; l.words[i].unknown { // it may hold anything
			d.verb, d.path = topology.UnknownAt[string](at), topology.UnknownAt[string](at)
			return
		}
		switch l.words[i].text {
		case "meth":
			d.verb = textOf(l.word(i + 1))
		case "uri":
			d.path = textOf(l.word(i + 1))
		case "uri-lf":
			d.path = topology.UnknownAt[string](l.words[i].at)
		case "hdr":
			i++
		}
		i++
	}
}

// request completes the dialogue with `option httpchk [[METHOD] URI [VERSION]]`: it holds where no rule says otherwise.
func (m *method) request() {
	if m.sends > 1 { // several requests in a row
		m.verb, m.path = topology.UnknownAt[string](m.line.at), topology.UnknownAt[string](m.line.at)
		return
	}
	verb, path := topology.DefaultAt("OPTIONS", m.line.at), topology.DefaultAt("/", m.line.at)
	switch args := m.line.words[2:]; len(args) {
	case 0:
	case 1:
		path = textOf(args[0])
	default:
		verb, path = textOf(args[0]), textOf(args[1])
	}
	if m.verb.Span == (diag.Span{}) {
		m.verb = verb
	}
	if m.path.Span == (diag.Span{}) {
		m.path = path
	}
}

// kind is the kind of check that one server gets.
func (m *method) kind(v member, at diag.Span) topology.Value[topology.CheckKind] {
	kind := topology.CheckTCP
	if m.how == present {
		kind = methods[m.line.word(1).text]
	}
	secure, sure := m.secure(v)
	if m.how == unclear || kind == "" || !m.sure || m.talks || !sure && kind != topology.CheckTLS {
		return topology.UnknownAt[topology.CheckKind](at)
	}
	switch {
	case secure && kind == topology.CheckHTTP:
		kind = topology.CheckHTTPS
	case secure:
		kind = topology.CheckTLS
	}
	return topology.SetAt(kind, at)
}

// secure reports whether a server is checked over TLS. What a connect rule says replaces the server's parameters,
// unless it asks for them with "default".
func (m *method) secure(v member) (secure, sure bool) {
	p := v.params
	p.loose = false // nobody checks all servers of all pools over TLS, or at one port
	if m.connect != nil {
		if m.connect.flag("ssl") {
			return true, true
		}
		if m.connect.filledIn() {
			return false, false
		}
		if !m.connect.flag("default") {
			return false, true
		}
	}
	secure = p.has("check-ssl") || p.has("ssl") && !p.has("port") && !p.has("addr") && !p.has("no-check-ssl")
	return secure, secure || p.complete() || p.has("no-check-ssl")
}

// verifyHost is the name that a server's certificate must hold, to the proxy or to its check.
func (m *method) verifyHost(v member) topology.Value[string] {
	secure, _ := m.secure(v)
	how, ok := v.params.set["verify"]
	if !secure && !v.params.has("ssl") || ok && how.value.text == "none" || !v.params.has("verifyhost") || v.params.opaque {
		return topology.Value[string]{}
	}
	return paramOf(v.params, "verifyhost", readText, "", v.Span)
}

// filledIn reports whether words of a line are known to a run only.
func (l line) filledIn() bool {
	return slices.ContainsFunc(l.words, func(w word) bool { return w.unknown })
}

func (l line) flag(keyword string) bool {
	for _, w := range l.words {
		if w.text == keyword {
			return true
		}
	}
	return false
}

// port is where a server is asked: at the connect rule's port, its own check port, or where clients go.
func (m *method) port(v member) topology.Value[int] {
	if m.connect != nil {
		for i, w := range m.connect.words {
			if w.text == "port" {
				return valueOf(m.connect.word(i+1), readPort)
			}
		}
		if m.connect.filledIn() {
			return topology.UnknownAt[int](m.connect.at)
		}
	}
	p := v.params
	if addr, ok := p.set["addr"]; ok {
		return topology.UnknownAt[int](addr.value.at) // of something else than the server
	}
	p.loose = false
	out := paramOf(p, "port", readPort, v.Port.V, v.Span)
	if out.State == topology.Defaulted && !v.Port.Known() {
		return topology.UnknownAt[int](v.Port.Span)
	}
	return out
}
