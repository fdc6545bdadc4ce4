package runbook

import "strings"

// memberFiles gets the files of target etcd onto each member.
func (b *book) memberFiles() {
	b.say("First drop what these files hold from etcd's command line and configuration: it refuses to start when a flag is there, too.",
		"Then on one member at a time, with its own file, from the folder that this page is in:")
	dropIn := "etcd.service.d/etcd-lb-" + b.Name.V + ".conf"
	b.run("member="+b.example().Name.V+"  # which this machine is",
		`install -D -m 0644 "etcd/$member.env" /etc/etcd-lb/`+b.Name.V+"/etcd.env",
		"install -D -m 0644 etcd/"+dropIn+" /etc/systemd/system/"+dropIn,
		"systemctl daemon-reload", "systemctl restart etcd")
}

// apiServerURLs is what kube-apiserver is given: beside the load balancer the members, where the spec decides that.
func (b *book) apiServerURLs() string {
	for _, d := range b.Dialers {
		if last := d.Endpoints; len(last) > 0 && last[0].V == b.BalancerURL() {
			urls := make([]string, len(last))
			for i, u := range last {
				urls[i] = u.V
			}
			return strings.Join(urls, ",")
		}
	}
	return b.BalancerURL()
}

// ways tells of the two ways for kube-apiserver.
func (b *book) ways() {
	if !b.has("kubernetes") {
		return
	}
	b.say("All of its flags are in " + code("kubernetes/load-balancer/kube-apiserver.yaml") + ", and for kubeadm in " +
		code("kubernetes/load-balancer/kubeadm.yaml") + ". Where it reaches the members, " + code("kubernetes/direct") +
		" is the better way: its client fails over between them by itself.")
	b.say("Afterwards, on that machine, kube-apiserver must say that etcd is well:")
	b.run("kubectl get --raw='/readyz/etcd'")
}
