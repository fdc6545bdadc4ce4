package runbook

import "strings"

// drain is how a member gets rid of its clients.
func (b *book) drain() {
	b.heading(2, "Draining a member")
	if b.serving() < 2 {
		b.say("One member alone serves clients: nothing could take them over.")
		return
	}
	m := b.example().Name.V
	b.say("Before maintenance on a member that takes longer than a restart, send its clients elsewhere; " + code(m) +
		" stands for it here. For good, in the spec:")
	b.fenced("cue", []string{`cluster: members: "` + m + `": drain: true`})
	b.say("Build and roll out the load balancer: the member gets no new connections; those that it has stay until they end. It keeps its vote.")
	if p := b.proxy("haproxy"); p != nil && !p.Container {
		server := p.Pools[0].Name.V + "/" + m
		b.say("At once, until HAProxy's next reload, on", b.machines()+"; the second command also cuts the connections that are left,",
			"and clients come back at another member:")
		b.run("echo 'set server "+server+" state drain' "+socket, "echo 'shutdown sessions server "+server+"' "+socket)
		b.say("Wait until the second column, its connections, is at rest:")
		b.run(b.haproxyServers(p))
		b.say("Back to work:")
		b.run("echo 'set server " + server + " state ready' " + socket)
	}
	b.say("If the member leads, hand the leadership over first: see [below](#commands-on-one-member).")
}

// single is what must not go through the load balancer.
func (b *book) single() {
	b.heading(2, "Commands on one member")
	m := b.example()
	own := func(command string) string { return etcdctl([]string{b.Etcd.ClientURL(m)}, command) }
	b.say("A snapshot, a defragmentation and a change of the leader are about one member, and would meet any one through the load balancer:",
		"dial the member itself, here "+code(m.Name.V)+".")
	b.run(own("snapshot save etcd-"+b.Name.V+".db"), own("defrag"))
	b.say("While a member is defragmented it answers nobody: [drain](#draining-a-member) it before.")
	if b.serving() < 2 {
		return
	}
	b.say("The status says which member leads, and each one's ID; the leader itself hands over to the member of the ID:")
	b.run(b.direct("endpoint status -w table"), own("move-leader ID"))
}

// bypass is the way around a load balancer that is down.
func (b *book) bypass() {
	b.heading(2, "Emergency: bypassing the load balancer")
	direct := strings.Join(b.Etcd.DirectURLs(), ",")
	b.say("For when the load balancer is down and the members are well: the first command fails, the second succeeds.")
	b.run(b.healthOfBalancer(), b.direct("endpoint health"))
	var steps []string
	if b.filtered() {
		steps = append(steps, "Let clients reach members: "+b.openMembers()+".")
	}
	steps = append(steps, b.admitInClouds()...)
	point := "Point clients to the members: " + code(direct)
	if b.has("endpoints") {
		point += ", ETCD_ACCESS_ADDRESSES_DIRECT in " + code("endpoints/endpoints.env")
	}
	steps = append(steps, point+".")
	if len(b.Clients.KubeAPIServers) > 0 {
		steps = append(steps, "In "+code("/etc/kubernetes/manifests/kube-apiserver.yaml")+" of each kube-apiserver: "+code("--etcd-servers="+direct)+".")
	}
	b.numbered(steps...)
	b.say("And back, when the load balancer works again:")
	back := []string{"Verify as after a rollout: " + code(b.healthOfBalancer()) + ".", "Point clients to " + code(b.BalancerURL()) + ", one at a time."}
	if b.filtered() {
		back = append(back, b.closeMembers())
	}
	b.numbered(back...)
}
