package runbook

// What to do about the alerts on probes.

func (b *book) balancerProbe() {
	b.say("Do clients get through?")
	b.run(b.healthOfBalancer())
	b.say("If not, " + bypassLink + ". A certificate error says that a member's certificate lacks a name of the load balancer, anything " +
		"else is the load balancer or a member that it should not use. Ask for their health from the load balancer's machine:")
	b.run(b.checksFromProxy()...)
	b.say("If they do, the exporter's machine is not among those that may reach the load balancer (clients.networks in the spec).")
}

func (b *book) memberProbe() {
	b.ask()
	b.say("If this one does, the exporter's machine is not among those that may reach members (clients.direct in the spec). If not, on the member:")
	b.etcdJournal()
}

func (b *book) probeMissing() {
	b.ask()
	b.say("If they do, it is the blackbox exporter or its scrape: does it run where the scrape configuration says, and has it the module " +
		"that was built?")
}

func (b *book) certificateExpiring() {
	b.say("Issue the certificate anew, with the names and addresses that the old one has, and replace it on the member: etcd reads it for " +
		"each new connection, without a restart. At another address, take what the alert names:")
	b.run("openssl s_client -connect " + word(b.example().Host()+":"+b.clientPort()) + " </dev/null 2>/dev/null | openssl x509 -noout -subject -enddate -ext subjectAltName")
}
