package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var activeBackup = Rule{
	ID:       "active-backup",
	Title:    "one member takes all clients, the others are backups",
	Severity: "warning",
	Why: "All watches and requests hang on one member: it alone bears the load, and when it fails every client reconnects and " +
		"relists at once on the next. Any voting member can serve clients; none has to be preferred.",
	Fix: "Remove `backup` from the server lines and balance by the fewest connections (`balance leastconn`, `least_conn`).",
	References: []string{
		"https://docs.haproxy.org/2.6/configuration.html#5.2-backup",
		"https://nginx.org/en/docs/stream/ngx_stream_upstream_module.html#server",
	},
	Check: checkActiveBackup,
}

func checkActiveBackup(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range clientPools(g) {
		backups := backupsOf(b)
		if len(backups) == 0 || b.Partial || len(backups) != len(usable(b))-1 {
			continue
		}
		d := diag.Diagnostic{
			Span:     backups[0].Backup.Span,
			Severity: diag.Warning,
			Message: fmt.Sprintf("%s keeps all members but one as backups, so one bears all clients and all of them move at once when it fails; "+
				"need all members in use", b.Called()),
			Hint:    "remove backup from the server lines",
			Subject: b.Subject(),
		}
		for _, s := range backups[1:] {
			d.Related = append(d.Related, diag.Related{Span: s.Backup.Span, Message: "and this one"})
		}
		out = append(out, d)
	}
	return out
}

// usable are the servers of a pool that get new connections, now or when others fail.
func usable(b topology.EtcdPool) []topology.Server {
	var out []topology.Server
	for _, s := range b.Servers {
		if !s.Drain.V {
			out = append(out, s)
		}
	}
	return out
}

// backupsOf are those of them that get connections only when the others are down.
func backupsOf(b topology.EtcdPool) []topology.Server {
	var out []topology.Server
	for _, s := range usable(b) {
		if s.Backup.Known() && s.Backup.V {
			out = append(out, s)
		}
	}
	return out
}
