package etcd

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func read(t *testing.T, path, text string) (*topology.Topology, diag.List) {
	t.Helper()
	if !Target.Detect(path, []byte(text)) {
		t.Fatalf("%s is not detected", path)
	}
	return Target.Parse(target.Source{Path: path, Files: []target.File{{Path: path, Data: []byte(text)}}})
}

// started reads a file and returns the one member that has flags.
func started(t *testing.T, path, text string) topology.Member {
	t.Helper()
	top, diags := read(t, path, text)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	for _, m := range top.Etcd.Members {
		if m.Flags.Known() {
			return m
		}
	}
	t.Fatalf("no member: %+v", top.Etcd)
	return topology.Member{}
}

// written is what the span of a value covers.
func written(text string, s diag.Span) string {
	lines := strings.Split(text, "\n")
	return string([]rune(lines[s.Line-1])[s.Col-1 : s.EndCol-1])
}

func TestFormsSayTheSame(t *testing.T) {
	forms := map[string]string{
		"etcd.env": `# comment
ETCD_NAME=etcd-1
export ETCD_LISTEN_CLIENT_URLS="https://10.0.1.10:2379,https://127.0.0.1:2379"
ETCD_ADVERTISE_CLIENT_URLS='https://10.0.1.10:2379'
ETCD_CERT_FILE=/etc/etcd/server.crt
ETCD_PEER_CERT_FILE=/etc/etcd/peer.crt
ETCD_TRUSTED_CA_FILE=/etc/etcd/ca.crt
ETCD_CLIENT_CERT_AUTH=true
ETCD_LISTEN_METRICS_URLS=http://10.0.1.10:2381
ETCD_GRPC_KEEPALIVE_MIN_TIME=2s
`,
		"etcd.conf.yml": `name: etcd-1
listen-client-urls: https://10.0.1.10:2379,https://127.0.0.1:2379
advertise-client-urls: "https://10.0.1.10:2379"
listen-metrics-urls: http://10.0.1.10:2381
grpc-keepalive-min-time: 2000000000
client-transport-security:
  cert-file: /etc/etcd/server.crt
  trusted-ca-file: /etc/etcd/ca.crt
  client-cert-auth: true
peer-transport-security:
  cert-file: /etc/etcd/peer.crt
`,
		"etcd.service": `[Service]
Environment="ETCD_NAME=etcd-1" ETCD_CERT_FILE=/etc/etcd/server.crt
ExecStartPre=/bin/mkdir -p /var/lib/etcd
ExecStart=-/usr/bin/docker run --name etcd quay.io/coreos/etcd:v3.5.21 /usr/local/bin/etcd \
  --listen-client-urls https://10.0.1.10:2379,https://127.0.0.1:2379 \
# a comment between
  -advertise-client-urls='https://10.0.1.10:2379' \
  --client-cert-auth --trusted-ca-file "/etc/etcd/ca.crt" \
  --peer-cert-file=/etc/etcd/peer.crt --listen-metrics-urls=http://10.0.1.10:2381 --grpc-keepalive-min-time=2s
`,
		"start.sh": `export ETCD_NAME=etcd-1 # the name
export ETCD_CERT_FILE=/etc/etcd/server.crt
$ETCD --listen-client-urls https://10.0.1.10:2379,https://127.0.0.1:2379 \
  -advertise-client-urls='https://10.0.1.10:2379' \
  --client-cert-auth --trusted-ca-file "/etc/etcd/ca.crt" \
  --peer-cert-file=/etc/etcd/peer.crt --listen-metrics-urls=http://10.0.1.10:2381 --grpc-keepalive-min-time=2s
`,
		"container.sh": `"$ENGINE" run -e ETCD_NAME=etcd-1 -e ETCD_CERT_FILE=/etc/etcd/server.crt \
  -e ETCD_LISTEN_CLIENT_URLS=https://10.0.1.10:2379,https://127.0.0.1:2379 -e ETCD_PEER_CERT_FILE=/etc/etcd/peer.crt \
  -e ETCD_ADVERTISE_CLIENT_URLS=https://10.0.1.10:2379 -e ETCD_TRUSTED_CA_FILE=/etc/etcd/ca.crt -e ETCD_CLIENT_CERT_AUTH=true \
  -e ETCD_LISTEN_METRICS_URLS=http://10.0.1.10:2381 -e ETCD_GRPC_KEEPALIVE_MIN_TIME=2s "$IMAGE"
`,
		"mount.sh": `container run --detach --mount type=bind,src=/srv,dst=/data/etcd --volume /srv/etcd:/srv/etcd --env ETCD_NAME=etcd-1 \
  --env ETCD_CERT_FILE=/etc/etcd/server.crt --env ETCD_PEER_CERT_FILE=/etc/etcd/peer.crt --env ETCD_CLIENT_CERT_AUTH=true \
  --env ETCD_LISTEN_CLIENT_URLS=https://10.0.1.10:2379,https://127.0.0.1:2379 --env ETCD_TRUSTED_CA_FILE=/etc/etcd/ca.crt \
  --env ETCD_ADVERTISE_CLIENT_URLS=https://10.0.1.10:2379 --env ETCD_GRPC_KEEPALIVE_MIN_TIME=2s \
  --env ETCD_LISTEN_METRICS_URLS=http://10.0.1.10:2381 registry.example.com/tools/etcd
`,
		"image.sh": `docker run -v /srv/etcd:/srv/etcd --volume=${DATA}:/data --name etcd ${REGISTRY}:latest \
  /usr/local/bin/etcd --name etcd-1 --cert-file=/etc/etcd/server.crt --peer-cert-file=/etc/etcd/peer.crt --client-cert-auth \
  --listen-client-urls https://10.0.1.10:2379,https://127.0.0.1:2379 --trusted-ca-file=/etc/etcd/ca.crt \
  --advertise-client-urls https://10.0.1.10:2379 --grpc-keepalive-min-time=2s --listen-metrics-urls=http://10.0.1.10:2381
`,
		"flags.conf": `OPTIONS="--name etcd-1 --cert-file=/etc/etcd/server.crt \
  --listen-client-urls https://10.0.1.10:2379,https://127.0.0.1:2379 \
  -advertise-client-urls='https://10.0.1.10:2379' \
  --client-cert-auth --trusted-ca-file=/etc/etcd/ca.crt \
  --peer-cert-file=/etc/etcd/peer.crt --listen-metrics-urls=http://10.0.1.10:2381 --grpc-keepalive-min-time=2s"
`,
		"options.service": `[Service]
Environment="OPTIONS=--cert-file=/etc/etcd/server.crt \
  --listen-client-urls https://10.0.1.10:2379,https://127.0.0.1:2379 \
  --advertise-client-urls=https://10.0.1.10:2379 --client-cert-auth --trusted-ca-file=/etc/etcd/ca.crt"
ExecStart=/usr/bin/etcd --name etcd-1 $OPTIONS --peer-cert-file=/etc/etcd/peer.crt \
  --listen-metrics-urls=http://10.0.1.10:2381 --grpc-keepalive-min-time=2s
`,
	}
	for path, text := range forms {
		t.Run(path, func(t *testing.T) {
			m := started(t, path, text)
			f := m.Flags
			got := map[string]string{
				"name": m.Name.V, "auth": map[bool]string{true: "yes"}[f.ClientCertAuth.V], "ca": f.TrustedCA.V,
				"cert": f.Cert.V, "peer": f.PeerCert.V, "listen": join(f.ListenClientURLs),
				"advertise": join(f.AdvertiseClientURLs), "metrics": join(f.ListenMetricsURLs),
				"min": f.KeepaliveMinTime.V.String(), "address": m.Address.V.String(),
			}
			want := map[string]string{
				"name": "etcd-1", "auth": "yes", "ca": "/etc/etcd/ca.crt", "cert": "/etc/etcd/server.crt", "peer": "/etc/etcd/peer.crt",
				"listen": "https://10.0.1.10:2379,https://127.0.0.1:2379", "advertise": "https://10.0.1.10:2379",
				"metrics": "http://10.0.1.10:2381", "min": (2 * time.Second).String(), "address": "10.0.1.10",
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			for _, v := range append(f.ListenClientURLs, f.ListenMetricsURLs[0]) {
				if at := written(text, v.Span); at != v.V {
					t.Errorf("%s is said to stand at %q", v.V, at)
				}
			}
		})
	}
}

func TestVersionByImage(t *testing.T) {
	const image, flags = "quay.io/coreos/etcd:v3.5.9", "--name a --listen-client-urls https://10.0.1.10:2379"
	for path, text := range map[string]string{
		"etcd.service": "[Service]\nExecStart=/usr/bin/docker run --net=host " + image + " /usr/local/bin/etcd " + flags + "\n",
		"compose.yaml": "services:\n  a:\n    image: " + image + "\n    command: etcd " + flags + "\n",
		"start.sh":     "#!/bin/sh\ndocker run -d --net=host " + image + " etcd " + flags + "\n",
	} {
		top, _ := read(t, path, text)
		if v := top.Etcd.Version; v.V != "3.5.9" || written(text, v.Span) != "3.5.9" {
			t.Errorf("%s: got %+v", path, v)
		}
	}
}

func TestInitialCluster(t *testing.T) {
	top, _ := read(t, "etcd.env", `ETCD_INITIAL_ADVERTISE_PEER_URLS=https://10.0.1.10:2380
ETCD_INITIAL_CLUSTER=a=https://10.0.1.11:2380,b=https://10.0.1.10:2380,a=https://[fd00::11]:2380
`)
	got := map[string][]string{}
	for _, m := range top.Etcd.Members {
		for _, a := range m.Addresses() {
			got[m.Name.V] = append(got[m.Name.V], a.V.String())
		}
	}
	if d := cmp.Diff(map[string][]string{"a": {"10.0.1.11", "fd00::11"}, "b": {"10.0.1.10"}}, got); d != "" {
		t.Error(d)
	}
}

// How many members there are shows where their addresses do not.
func TestInitialClusterCounts(t *testing.T) {
	for cluster, want := range map[string]int{
		"a=https://$A:2380,b=https://$B:2380": 2, "a=https://10.0.1.10:2380": 1, "$CLUSTER": 0, "$A=https://10.0.1.10:2380,b=https://$B:2380": 0,
	} {
		top, _ := read(t, "etcd.env", "ETCD_NAME=x\nETCD_INITIAL_CLUSTER_STATE=new\nETCD_INITIAL_CLUSTER="+cluster+"\n")
		got := 0
		for _, m := range top.Etcd.Members {
			if m.Flags.InitialCluster.Known() {
				got = m.Flags.InitialCluster.V
			}
		}
		if got != want {
			t.Errorf("%s: %d", cluster, got)
		}
	}
}

// What a unit hands to etcd is etcd's, by whatever name it is started; what it hands to a client is not.
func TestNamelessStart(t *testing.T) {
	m := started(t, "etcd.service", "[Service]\nEnvironment=ETCD_LISTEN_CLIENT_URLS=http://10.0.1.10:2379\nExecStart=/opt/start-it $ETCD_OPTS\n")
	if len(m.Flags.ListenClientURLs) != 1 || m.Flags.ListenClientURLs[0].Span.Line != 2 {
		t.Errorf("got %+v", m.Flags.ListenClientURLs)
	}
	top, _ := read(t, "calico.service", "[Service]\nEnvironment=ETCD_CERT_FILE=/c ETCD_ENDPOINTS=http://10.0.1.10:2379\nExecStart=/usr/bin/calico-node\n")
	if len(top.Etcd.Members) > 0 {
		t.Errorf("a client is taken for %+v", top.Etcd.Members)
	}
}

// A proxy of etcd 2 serves clients, but is no member: it listens to no peer, whatever its flags say.
func TestProxyHasNoPeers(t *testing.T) {
	for mode, want := range map[string]int{"off": 1, "on": 0, "readonly": 0} {
		m := started(t, "etcd.env", "ETCD_LISTEN_CLIENT_URLS=http://10.0.1.10:2379\nETCD_LISTEN_PEER_URLS=http://10.0.1.10:2380\nETCD_PROXY="+mode+"\n")
		if len(m.Flags.ListenClientURLs) != 1 || len(m.Flags.ListenPeerURLs) != want {
			t.Errorf("%s: got %+v", mode, m.Flags)
		}
	}
}

func TestPlaceholdersAreUnknown(t *testing.T) {
	for name, url := range map[string]string{
		"template": "https://" + strings.Repeat(topology.Hole, 3) + ":2379", "shell": "https://$IP:2379", "systemd": "https://%H:2379",
		"angle brackets": "https://<ip>:2379", "capitals": "https://NODE_IP:2379",
	} {
		t.Run(name, func(t *testing.T) {
			m := started(t, "etcd.env", "ETCD_NAME=etcd-1\nETCD_LISTEN_CLIENT_URLS="+url+",https://10.0.1.10:2379\n")
			if urls := m.Flags.ListenClientURLs; len(urls) != 2 || urls[0].Known() || !urls[1].Known() {
				t.Errorf("got %+v", urls)
			}
		})
	}
}

func TestDetect(t *testing.T) {
	for name, tc := range map[string]struct {
		path, text string
		want       bool
	}{
		"template":            {"etcd.env.j2", "ETCD_DATA_DIR=/var/lib/etcd\n", true},
		"environment":         {"etcd.cfg", "ETCD_NAME=\"{{ inventory_hostname }}\"\n", true},
		"drop-in":             {"etcd.service.d/10.conf", "[Service]\nEnvironment=\"ETCD_NAME=a\"\n", true},
		"clients of etcd":     {"calico.env", "ETCD_ENDPOINTS=https://10.0.0.1:2379\nETCD_KEY_FILE=/k\n", false},
		"script":              {"start.sh", "export ETCD_NAME=etcd-1\n", false},
		"variables of a role": {"vars.yml", "etcd_listen_client_urls: https://10.0.0.1:2379\n", false},
		"object":              {"a.yaml", "apiVersion: v1\nkind: ConfigMap\nlisten-client-urls: x\n", false},
		"indented manifest":   {"pod.yaml", "    kind: Pod\n    spec:\n      containers:\n      - image: etcd\n", false},
		"another unit":        {"nginx.service", "[Unit]\nAfter=etcd.service\n[Service]\nExecStart=/usr/sbin/nginx\n", false},
		"kube-apiserver":      {"kube-apiserver.service", "[Service]\nExecStart=/usr/bin/kube-apiserver --etcd-servers=https://10.0.0.1:2379\n", true},
	} {
		if got := Target.Detect(tc.path, []byte(tc.text)); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestBadYAML(t *testing.T) {
	const text = "name: etcd-1\nlisten-client-urls: https://10.0.1.10:2379\n\tbad\n"
	if _, diags := read(t, "etcd.yml", text); len(diags) != 1 || diags[0].Rule != "syntax" || diags[0].Span.Line == 0 {
		t.Errorf("got %v", diags)
	}
	if _, diags := read(t, "etcd.yml", text+topology.Hole); len(diags) > 0 {
		t.Errorf("a template may be no YAML, got %v", diags)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"ETCD_NAME=a\nETCD_INITIAL_CLUSTER=a=http://b:1,=,a=\n", "[Service]\nExecStart=etcd --name 'a \\\n\\\n-c \"x\n",
		"[Service]\nExecStart=/bin/sh -c \"etcd --name; etcdctl --insecure-skip-tls-verify\"\n",
		"listen-client-urls: &a [*a]\nclient-transport-security: *a\n", "ETCDCTL_INSECURE_SKIP_TLS_VERIFY=\"\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := strings.Count(string(data), "\n") + 1
		for _, path := range []string{"a.env", "a.service", "a.yml"} {
			if !Target.Detect(path, data) {
				continue
			}
			top, _ := Target.Parse(target.Source{Path: path, Files: []target.File{{Path: path, Data: data, Written: data}}})
			for _, m := range top.Etcd.Members {
				for _, v := range append(m.ClientURLs, m.Flags.ListenClientURLs...) {
					if v.Span.Line < 1 || v.Span.Line > lines || v.Span.Col < 1 {
						t.Errorf("%q at %+v of %d lines", v.V, v.Span, lines)
					}
				}
			}
		}
	})
}
