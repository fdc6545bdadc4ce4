// Package verify asks a running cluster what the guide's steps ask by hand: whether the load balancer and each member
// are reached, what certificates they serve, whether etcd answers and is healthy, and whether a quiet watch survives.
// It only reads. What it saw is judged by functions that know nothing of the network.
package verify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Options say how to ask.
type Options struct {
	Roots          *x509.CertPool // nil: the system's
	Certificate    *tls.Certificate
	WatchKey       string        // that is read and watched
	WatchFor       time.Duration // how long a watch is kept quiet; 0: none is
	DialTimeout    time.Duration
	CommandTimeout time.Duration
	// Announce is told what is dialed before it is.
	Announce func(Plan)
	// Progress is told what happens now; it may be called at the same time from several goroutines.
	Progress func(string)
}

type verifier struct {
	Options
	roots *x509.CertPool
	pairs []tls.Certificate
}

var (
	errDenied   = errors.New("permission denied")
	errNoMember = errors.New("the member that answers is none of those that are dialed")
)

// seen is all that was seen at one endpoint.
type seen struct {
	connect error
	served  served
	answers []answer
	health  checked
	open    bool // the peer port
}

// usable reports whether a client gets as far as to etcd.
func (s seen) usable() bool {
	return s.connect == nil && s.served.err == nil && s.served.refused == nil
}

// silent reports whether a member is reached, but answers no client: it hangs, or has no quorum.
func (s seen) silent() bool {
	return errors.Is(s.served.err, context.DeadlineExceeded) || len(s.answers) > 0 && !s.answering() ||
		slices.ContainsFunc(s.answers, func(a answer) bool { return a.version != "" && a.leader == 0 })
}

// answering reports whether etcd answered each time.
func (s seen) answering() bool {
	return len(s.answers) > 0 && !slices.ContainsFunc(s.answers, func(a answer) bool { return a.err != nil && !a.denied })
}

// Run dials what is planned and judges it. An error means that the context ended before all was seen.
func Run(ctx context.Context, p Plan, o Options) (*Report, error) {
	v := &verifier{Options: o, roots: o.Roots}
	if o.Certificate != nil {
		v.pairs = []tls.Certificate{*o.Certificate}
	}
	o.Announce(p)
	all := v.look(ctx, p.Endpoints)
	book, listErr := v.list(ctx, &p, all)
	if found := p.Endpoints[len(all):]; len(found) > 0 {
		o.Announce(Plan{Endpoints: found, listed: true})
		all = append(all, v.look(ctx, found)...)
	}
	j := judge{now: time.Now(), roots: o.Roots, certificate: o.Certificate, book: book}
	r := &Report{Cluster: p.Cluster, Targets: p.Endpoints}
	r.Lines = append(r.Lines, j.client()...)
	if p.Discover && listErr != nil {
		r.Lines = append(r.Lines, p.Endpoints[0].line("members", Skip, "which members there are is not known: "+listErr.Error(), ""))
	}
	j.learn(p.Endpoints, all)
	r.Lines = append(r.Lines, j.endpoints(p.Endpoints, all)...)
	for i, e := range p.Endpoints {
		if e.Role == Balancer && all[i].answering() {
			r.Lines = append(r.Lines, v.long(ctx, &j, e, p.Endpoints, all)...)
			break // the others lead to the same place
		}
	}
	return r, ctx.Err()
}

// list asks the first endpoint that answers for the members of the cluster, for their names, and adds them to the plan
// where no spec names them.
func (v *verifier) list(ctx context.Context, p *Plan, all []seen) (map[uint64]string, error) {
	book := map[uint64]string{}
	for i, e := range p.Endpoints {
		if !all[i].answering() {
			continue
		}
		v.Progress("asking " + e.Label() + " for the members")
		members, err := v.members(ctx, e)
		if err != nil {
			return book, err
		}
		for _, m := range members {
			book[m.id] = m.name
		}
		if p.Discover {
			p.add(members)
		}
		return book, nil
	}
	return book, errors.New("no endpoint answers")
}

// connectionsUnknown is how often etcd is asked through a load balancer whose members are not known.
const connectionsUnknown = 6

// look sees endpoints at the same time.
func (v *verifier) look(ctx context.Context, endpoints []Endpoint) []seen {
	voters := 0
	for _, e := range endpoints {
		if e.Role == Member && !e.Learner {
			voters++
		}
	}
	through := connectionsUnknown
	if voters > 0 { // as many as to meet each member, in turns
		through = min(max(2*voters, 2), 10)
	}
	all := make([]seen, len(endpoints))
	var wg sync.WaitGroup
	for i, e := range endpoints {
		times := 1
		if e.Role == Balancer {
			times = through
		}
		wg.Go(func() { all[i] = v.see(ctx, e, times) })
	}
	wg.Wait()
	return all
}

// see looks at one endpoint. What needs an earlier step is left out where that failed.
func (v *verifier) see(ctx context.Context, e Endpoint, times int) seen {
	var s seen
	v.Progress("dialing " + e.Label())
	conn, err := v.connect(ctx, e.Address)
	if s.connect = err; err != nil {
		return s
	}
	defer conn.Close()
	if e.TLS {
		s.served = v.handshake(ctx, conn, e)
	}
	if e.Peer != "" {
		s.open = v.open(ctx, e.Peer)
	}
	if e.Health.URL != "" {
		s.health = v.askHealth(ctx, e.Health)
	}
	for failed := 0; s.usable() && len(s.answers) < times && failed < 2; {
		v.Progress(fmt.Sprintf("asking etcd at %s, %d of %d", e.Label(), len(s.answers)+1, times))
		a := v.ask(ctx, e)
		if refusal(a.err) {
			s.served.refused = a.err
			break
		}
		if s.answers = append(s.answers, a); a.err != nil {
			failed++
		}
	}
	return s
}

// long are the checks of a load balancer that take their time.
func (v *verifier) long(ctx context.Context, j *judge, e Endpoint, endpoints []Endpoint, all []seen) []Line {
	v.Progress("measuring latency")
	byID := map[uint64]Endpoint{}
	for i, m := range endpoints {
		if m.Role == Member && len(all[i].answers) > 0 && all[i].answers[0].member != 0 {
			byID[all[i].answers[0].member] = m
		}
	}
	lines := []Line{j.latency(e, v.compare(ctx, e, byID))}
	if v.WatchFor > 0 {
		tick := func(d time.Duration) {
			v.Progress(fmt.Sprintf("keeping a watch quiet, %s of %s", d.Round(time.Second), v.WatchFor))
		}
		lines = append(lines, j.watch(e, v.watch(ctx, e, v.WatchFor, tick)))
	}
	return lines
}
