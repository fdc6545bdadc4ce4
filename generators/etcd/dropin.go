package etcd

import (
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

// dropIn has etcd's unit load the member's file. One drop-in suits all members: the file has the same path on each.
// systemd reads it after the unit's own files, so its variables win over theirs.
func dropIn(cluster string, header target.Header) target.Artifact {
	file := "/etc/etcd-lb/" + cluster + "/etcd.env"
	lines := append(header.Lines(), "",
		"Loads what etcd is started with on this member of the cluster "+cluster+". Goes to /etc/systemd/system/etcd.service.d/,",
		"and <member>.env of the folder above to the path below. Without that file etcd does not start: it would run with other",
		"flags than the load balancer expects.")
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.TrimRight("# "+l, " ") + "\n")
	}
	b.WriteString("[Service]\nEnvironmentFile=" + file + "\n")
	return target.Artifact{Path: "etcd/etcd.service.d/etcd-lb-" + cluster + ".conf", Data: []byte(b.String())}
}
