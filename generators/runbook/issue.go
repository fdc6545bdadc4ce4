package runbook

// issue says how to get certificates that carry what they must.
func (b *book) issue() {
	if !b.has("certificates") || len(b.Required) == 0 {
		return
	}
	b.say("What each certificate must carry is written down in three ways: " + code("certificates/openssl") + " for a CA of files, " +
		code("certificates/step-ca.sh") + " for step-ca, and " + code("certificates/cert-manager.yaml") + " for cert-manager. " +
		"Each file for openssl says which two commands make its certificate, on the machine that uses it and at the CA:")
	var lines []string
	for _, r := range b.Required {
		lines = append(lines, "grep '^#   openssl' certificates/openssl/"+r.Holder.Path()+".cnf")
	}
	b.run(lines...)
	b.say("Or with step-ca, one certificate at a time; without arguments it lists them:")
	b.run("certificates/step-ca.sh " + b.Required[0].Holder.Path() + " server.crt server.key")
}
