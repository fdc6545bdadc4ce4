package rules

import (
	"fmt"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var keepaliveTooFast = Rule{
	ID:       "keepalive-too-fast",
	Title:    "clients ping faster than etcd allows",
	Severity: "error",
	Why: "etcd counts pings that come closer together than its --grpc-keepalive-min-time, 5s by default, and answers the third " +
		"with ENHANCE_YOUR_CALM, which closes the connection with all watches on it. Watches stop, some clients for good.",
	Fix: "Let clients ping every 10s or more rarely, 30s as kube-apiserver does, or lower --grpc-keepalive-min-time on all members.",
	References: []string{
		"etcd-io/jetcd#1041", "etcd-io/jetcd#1075", "cortexproject/cortex#5897", "kvcache-ai/Mooncake#3142",
		"https://etcd.io/docs/v3.6/op-guide/configuration/",
	},
	Check: checkKeepaliveTooFast,
}

// calmPing is etcd's default for how often clients may ping.
const calmPing = 5 * time.Second

func checkKeepaliveTooFast(g *topology.Group) diag.List {
	ping, stated := clientPing(g)
	least, known := leastPing(g)
	if !stated.Known() || !known || ping == topology.Never || ping >= least.V {
		return nil
	}
	d := diag.Diagnostic{
		Span:     stated.Span,
		Severity: diag.Error,
		Message: fmt.Sprintf("clients ping every %s, but etcd allows a ping every %s, so it closes their connections with ENHANCE_YOUR_CALM; "+
			"need %s or more", short(ping), short(least.V), short(least.V)),
		Hint:    "let clients ping every 30s",
		Subject: "clients keepalive",
	}
	if least.State == topology.Set {
		d.Related = []diag.Related{{Span: least.Span, Message: "what etcd allows"}}
	}
	return diag.List{d}
}

// leastPing is the longest interval that any member insists on. It is not known where a member's setting is not.
func leastPing(g *topology.Group) (least topology.Value[time.Duration], known bool) {
	for _, t := range g.Sources {
		for _, m := range t.Etcd.Members {
			v := m.Flags.KeepaliveMinTime
			switch {
			case !m.Flags.Known():
				continue
			case !v.Known() && v.Span != diag.Span{}:
				return least, false
			case !v.Known():
				v = topology.DefaultAt(calmPing, m.Flags.Span)
			}
			if !least.Known() || v.V > least.V {
				least = v
			}
		}
	}
	if !least.Known() {
		least = topology.DefaultAt(calmPing, diag.Span{})
	}
	return least, true
}
