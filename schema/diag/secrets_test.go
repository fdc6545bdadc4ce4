package diag_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// Each Z is part of a password, and nothing else is one.
func TestMaskSecrets(t *testing.T) {
	for _, line := range []string{
		`    stats auth admin:ZZ`,
		`    stats auth admin:Z\ Z # why`,
		`    stats auth "admin:Z Z\"Z"`,
		`    stats auth 'admin:Z Z'`,
		`    stats auth "admin":ZZ`,
		`    stats auth admin:"Z Z`,
		`    user bob insecure-password "Z Z" groups a`,
		`    user bob password 'Z$Z`,
		`        auth_pass "Z Z"`,
		`http-check send meth GET uri /health hdr Authorization "Basic ZZ" hdr X-Token ZZ`,
		`http-request set-header X-API-Key "Z Z" if a`,
		`http-request set-header X-Key "Bearer ZZ"`,
		`proxy_set_header Authorization "Basic ZZ";`,
		`curl -H "Authorization: Bearer ZZ" -u root:ZZ https://etcd:2379`,
		`curl -u 'root:Z Z' https://etcd:2379`,
		`Environment="ETCDCTL_USER=root:Z Z" "ETCDCTL_INSECURE_SKIP_TLS_VERIFY=true"`,
		`ETCDCTL_USER=root:ZZ etcdctl --endpoints https://etcd:2379 get a`,
		`etcdctl --user=root --password=ZZ --endpoints https://etcd:2379 get a`,
		`etcdctl --user root:Z --password 'Z Z' get a`,
		`command: [etcdctl, --user, "root:Z Z", --cacert, ca.crt]`,
		`command: [etcdctl, --password, ZZ, --cacert, ca.crt]`,
		`https://root:Z@Z@etcd:2379,http://root:ZZ@b:2379`,
		`export PASSWORD='Z Z' A=b`,
		`- "VAULT_TOKEN=Z Z"`,
		`password: 'Z''Z' # why`,
		`password: "Z\"Z"`,
		`password: Z Z, Z # why`,
		`password: 'ZZ`,
		`a: {username: a, password: Z Z, tls: {b: c}}`,
		`authorization: {credentials: ZZ}, tls_config: {insecure: true}`,
		`"password": "Z Z", "a": "b"`,
		`secret_key = "Z Z"`,
		`provider "aws" { secret_key = "ZZ" }`,
	} {
		got := diag.MaskSecrets(line)
		if strings.Contains(got, "Z") || utf8.RuneCountInString(got) != utf8.RuneCountInString(line) {
			t.Errorf("%s is shown as %s", line, got)
		}
		if before, _, _ := strings.Cut(line, "Z"); !strings.HasPrefix(got, strings.TrimRight(strings.TrimSuffix(before, "Basic "), `"'\`)) {
			t.Errorf("%s is shown as %s, without what stands before the password", line, got)
		}
		for _, visible := range []string{"etcd:2379", "tls", "# why", "true", "ca.crt", "groups", "if a", `"b"`} {
			if strings.Contains(line, visible) && !strings.Contains(got, visible) {
				t.Errorf("%s is shown as %s, without %s", line, got, visible)
			}
		}
	}
}

// Nothing here is a password.
func TestMaskSecretsNone(t *testing.T) {
	for _, line := range []string{
		`    timeout client 50s`,
		`  - --authorization-mode=Node,RBAC`,
		`  - --etcd-servers=https://10.0.1.10:2379,https://10.0.1.11:2379`,
		`iptables -A INPUT -m owner --uid-owner etcd -p tcp --dport 2379 -j ACCEPT`,
		`server etcd-1 10.0.1.10:2379 check ssl crt /etc/client.pem`,
		`expr: haproxy_server_up{proxy="etcd"} < 2`,
		`	members: "etcd-1": address: "10.0.1.10"`,
		`User=etcd`,
	} {
		if got := diag.MaskSecrets(line); got != line {
			t.Errorf("%s is shown as %s", line, got)
		}
	}
}
