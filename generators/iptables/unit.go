package iptables

import (
	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

// unit is the systemd unit that applies the rules at boot, before there is a network. Services that load the machine's
// own rules, often with a flush, come first.
func unit(r role, header target.Header) []byte {
	var b text
	b.comment(header.Lines()...)
	b.comment("Expects this folder as " + r.folder() + ".")
	for _, line := range []string{
		"[Unit]",
		"Description=Firewall of the " + r.title(),
		"DefaultDependencies=no",
		"RequiresMountsFor=" + r.folder() + " /run",
		"After=local-fs.target systemd-modules-load.service systemd-sysctl.service",
		"After=netfilter-persistent.service iptables.service ip6tables.service nftables.service ufw.service firewalld.service",
		"Wants=network-pre.target",
		"Before=network-pre.target shutdown.target",
		"Conflicts=shutdown.target",
		"",
		"[Service]",
		"Type=oneshot",
		"RemainAfterExit=yes",
		"ExecStart=" + r.folder() + "/apply.sh apply",
		"ExecReload=" + r.folder() + "/apply.sh apply",
		"ExecStop=" + r.folder() + "/apply.sh remove",
		"",
		"[Install]",
		"WantedBy=multi-user.target",
	} {
		b.write(line, "\n")
	}
	return b.Bytes()
}
