package keepalived

import (
	"bytes"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// line is one line of a file, or one that opens a block.
type line struct {
	why   string
	words []string
	block []line // nil: no block
}

// say is a line with the reason for it, or without one.
func say(why string, words ...string) line { return line{why: why, words: words} }

func block(why string, in []line, words ...string) line {
	return line{why: why, words: words, block: append([]line{}, in...)}
}

// render writes keepalived/<node>/keepalived.conf for each node.
func render(t *topology.Topology, _ *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var out []target.Artifact
	for i := range t.VRRP {
		v := &t.VRRP[i]
		var b bytes.Buffer
		for _, text := range append(header.Lines(),
			"Of node "+v.Node+": /etc/keepalived/keepalived.conf there, or a file that it includes.") {
			b.WriteString("# " + text + "\n")
		}
		for _, section := range []line{globals(v), script(v), instanceOf(v)} {
			b.WriteString("\n")
			write(&b, section, "")
		}
		out = append(out, target.Artifact{Path: path.Join(name, v.Node, "keepalived.conf"), Data: b.Bytes()})
	}
	return out, nil
}

// write prints a line, its reason above it and its block below.
func write(b *bytes.Buffer, l line, indent string) {
	if l.why != "" {
		b.WriteString(indent + "# " + l.why + "\n")
	}
	b.WriteString(indent + strings.Join(l.words, " "))
	if l.block == nil {
		b.WriteString("\n")
		return
	}
	b.WriteString(" {\n")
	for _, in := range l.block {
		write(b, in, indent+"    ")
	}
	b.WriteString(indent + "}\n")
}

func globals(v *topology.VRRP) line {
	return block("", []line{
		say("the node's name, in the log", "router_id", v.Node),
		say("for both families", "vrrp_version", "3"),
		say("runs no script that others than root could have changed", "enable_script_security"),
		say("who asks; with anybody else, keepalived -t of 2.2 ends itself", "script_user", "root"),
	}, "global_defs")
}

// ask is how the script asks a URL: nothing on the machine, such as a proxy in the environment, may lead it elsewhere.
const ask = "/usr/bin/curl -q -sf -o /dev/null --noproxy 127.0.0.1"

func script(v *topology.VRRP) line {
	c := &v.Check
	asked := "HAProxy gives one while it has a member"
	if c.Proxy == "nginx" {
		asked = "NGINX gives one without members, too: to ask those through it needs a client's key here, or fills their log with refusals"
	}
	return block("the proxy on this machine: without its answer the addresses go to another one", []line{
		say(asked, "script", fmt.Sprintf(`"%s -m %s %s"`, ask, seconds(c.Timeout.V), c.URL.V)),
		say("seconds", "interval", seconds(c.Interval.V)),
		say("a slow answer is none", "timeout", seconds(c.Timeout.V)),
		say("a reload may cost one answer", "fall", strconv.Itoa(c.Fall.V)),
		say("", "rise", strconv.Itoa(c.Rise.V)),
	}, "vrrp_script", v.Name.V)
}

func instanceOf(v *topology.VRRP) line {
	in := []line{
		say("nobody is master by right", "state", v.State.V),
	}
	if v.NoPreempt.V {
		in = append(in, say("a node that comes back leaves the addresses where they are: each move cuts all clients off", "nopreempt"))
	}
	in = append(in,
		say("", "interface", v.Interface.V),
		say("the same on all nodes, and of nobody else in this network", "virtual_router_id", strconv.Itoa(v.RouterID.V)),
		say("decides who is first when nobody has the addresses", "priority", strconv.Itoa(v.Priority.V)),
		say("seconds between announcements; silence of three is a failure", "advert_int", "1"),
		say("to the other nodes one by one: many networks drop multicast", "unicast_src_ip", v.Source.V.String()),
	)
	var peers []line
	for _, p := range v.Peers {
		peers = append(peers, say("", p.V.String()))
	}
	in = append(in, block("", peers, "unicast_peer"))
	var moving, beside []line
	for _, a := range v.Addresses {
		if topology.FamilyOf(a.V.Addr()) == topology.FamilyOf(v.Source.V) {
			moving = append(moving, say("", a.V.String()))
		} else {
			beside = append(beside, say("", a.V.String()))
		}
	}
	in = append(in, block("", moving, "virtual_ipaddress"))
	if beside != nil {
		in = append(in, block("moves with them; announcements hold addresses of their own family only", beside, "virtual_ipaddress_excluded"))
	}
	in = append(in, block("", []line{say("", v.Name.V)}, "track_script"))
	return block("", in, "vrrp_instance", v.Name.V)
}

// seconds is a time in whole seconds.
func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
