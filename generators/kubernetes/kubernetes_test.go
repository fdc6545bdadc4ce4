package kubernetes_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/generators/kubernetes"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func read(t *testing.T, text string) *topology.Topology {
	t.Helper()
	if !kubernetes.Target.Detect("a.yaml", []byte(text)) {
		t.Fatal("not detected")
	}
	top, diags := parse("a.yaml", text)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return top
}

func parse(path, text string) (*topology.Topology, diag.List) {
	return kubernetes.Target.Parse(target.Source{
		Path: path, Files: []target.File{{Path: path, Data: []byte(text), Written: []byte(text)}},
	})
}

func texts(vs []topology.Value[string]) string {
	var out []string
	for _, v := range vs {
		out = append(out, v.V)
	}
	return strings.Join(out, " ")
}

const apiServer = `apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: proxy
        image: example.com/proxy
        args: [--etcd-servers=https://10.9.9.9:2379]
      - name: api
        image: registry.example.com:5000/kube-apiserver@sha256:0123
        args:
        - "--etcd-servers=https://10.0.1.10:2379,https://10.0.1.11:2379"
        - --etcd-servers-overrides=/events#https://10.0.1.20:2379;https://10.0.1.21:2379,/leases#https://10.0.1.22:2379
        - --etcd-cafile
        - /etc/etcd/ca.crt
`

func TestAPIServer(t *testing.T) {
	top := read(t, apiServer)
	if len(top.Dialers) != 1 {
		t.Fatalf("got %+v", top.Dialers)
	}
	d := top.Dialers[0]
	if got := texts(d.Endpoints); got != "https://10.0.1.10:2379 https://10.0.1.11:2379" {
		t.Errorf("endpoints %s", got)
	}
	if got := texts(d.Overrides); got != "https://10.0.1.20:2379 https://10.0.1.21:2379 https://10.0.1.22:2379" {
		t.Errorf("overrides %s", got)
	}
	if d.Certificate.CA.V != "/etc/etcd/ca.crt" || d.Certificate.CA.Span.Line != 16 {
		t.Errorf("CA %+v", d.Certificate.CA)
	}
	if diff := cmp.Diff(diag.At("a.yaml", 13, 50, 22), d.Endpoints[1].Span); diff != "" {
		t.Error(diff)
	}
}

func TestKubeadm(t *testing.T) {
	const head = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\netcd:\n"
	for name, tc := range map[string]struct {
		etcd, metrics, advertise string
		defaulted                bool
	}{
		"default": {etcd: "  local:\n    dataDir: /var/lib/etcd\n    extraArgs:\n      name: a\n", metrics: "http://127.0.0.1:2381", defaulted: true},
		"mapping": {etcd: "  local:\n    extraArgs:\n      listen-metrics-urls: http://0.0.0.0:2381\n", metrics: "http://0.0.0.0:2381"},
		"list": {
			etcd: "  local:\n    extraArgs:\n    - name: listen-metrics-urls\n      value: http://0.0.0.0:2381\n" +
				"    - {name: advertise-client-urls, value: 'https://etcd-lb:2379'}\n",
			metrics: "http://0.0.0.0:2381", advertise: "https://etcd-lb:2379",
		},
	} {
		t.Run(name, func(t *testing.T) {
			top := read(t, head+tc.etcd)
			if len(top.Etcd.Members) != 1 {
				t.Fatalf("got %+v", top.Etcd)
			}
			f := top.Etcd.Members[0].Flags
			if texts(f.ListenMetricsURLs) != tc.metrics || texts(f.AdvertiseClientURLs) != tc.advertise ||
				(f.ListenMetricsURLs[0].State == topology.Defaulted) != tc.defaulted {
				t.Errorf("got %+v", f)
			}
		})
	}
	t.Run("before there were kinds of etcd", func(t *testing.T) {
		top := read(t, "apiVersion: kubeadm.k8s.io/v1alpha1\nkind: MasterConfiguration\netcd:\n  endpoints: [https://a:2379]\n  caFile: /ca.crt\n"+
			"apiServerExtraArgs:\n  advertise-address: 10.0.3.10\n")
		if len(top.Dialers) != 1 || texts(top.Dialers[0].Endpoints) != "https://a:2379" || top.Dialers[0].Certificate.CA.V != "/ca.crt" ||
			top.Dialers[0].Address.V != "10.0.3.10" {
			t.Errorf("got %+v", top.Dialers)
		}
	})
	t.Run("external", func(t *testing.T) {
		top := read(t, head+"  external:\n    endpoints: [https://a:2379, https://b:2379]\n    caFile: /ca.crt\n")
		if len(top.Dialers) != 1 || texts(top.Dialers[0].Endpoints) != "https://a:2379 https://b:2379" || top.Dialers[0].Certificate.CA.V != "/ca.crt" {
			t.Errorf("got %+v", top.Dialers)
		}
	})
}

func TestVersion(t *testing.T) {
	for image, want := range map[string]string{
		"registry.k8s.io/etcd:3.5.9-0": "3.5.9", "quay.io/coreos/etcd:v3.4.20-arm64": "3.4.20", "localhost:5000/etcd:3.6": "3.6",
		"gcr.io/etcd:v3.5.9@sha256:aa": "3.5.9", "etcd:latest": "", "localhost:5000/etcd": "", "example.com/etcd-backup:3.5.9": "",
		"etcd:${VERSION}": "", "etcd:3.5.9x": "", "etcd@sha256:3.5": "",
	} {
		top := read(t, "kind: Pod\nspec:\n  containers:\n  - image: "+image+"\n    command: [etcd, --name=a]\n")
		if v := top.Etcd.Version; v.V != want || v.Known() != (want != "") || want != "" && v.Span.Line != 4 {
			t.Errorf("%s: got %+v", image, v)
		}
	}
}

func TestInsecureCalls(t *testing.T) {
	const head = "kind: CronJob\nspec:\n  containers:\n  - name: backup\n    image: example.com/tools\n"
	for name, tc := range map[string]struct {
		run  string
		want int // the line of the switch, 0 for none
	}{
		"words":        {"    command: [etcdctl, --insecure-skip-tls-verify, get, /]\n", 6},
		"script":       {"    command:\n    - sh\n    - -c\n    - |\n      set -e\n      etcdctl \\\n        --insecure-skip-tls-verify=true get /\n", 12},
		"one line":     {"    args: [\"-c\", \"etcdctl get / && etcdctl --insecure-skip-tls-verify get /x\"]\n", 6},
		"variable":     {"    env:\n    - name: ETCDCTL_INSECURE_SKIP_TLS_VERIFY\n      value: \"true\"\n", 8},
		"probe":        {"    readinessProbe:\n      exec:\n        command: [etcdctl, endpoint, health, --insecure-skip-tls-verify]\n", 8},
		"another tool": {"    command: [kubectl, --insecure-skip-tls-verify, exec, etcd, etcdctl, get, /]\n", 0},
		"off":          {"    command: [etcdctl, --insecure-skip-tls-verify=false]\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			top := read(t, strings.Replace(head, "backup", "etcd", 1)+tc.run)
			line := 0
			for _, d := range top.Dialers {
				if d.Insecure.Known() && d.Insecure.V {
					line = d.Insecure.Span.Line
				}
			}
			if line != tc.want {
				t.Errorf("at line %d, want %d: %+v", line, tc.want, top.Dialers)
			}
		})
	}
}

// TestVersionOfTheServer: a container that calls etcdctl may have any version.
func TestVersionOfTheServer(t *testing.T) {
	top := read(t, "kind: Pod\nspec:\n  containers:\n  - image: k8s.io/etcd:3.5.15-0\n    command: [etcd, --name=a]\n"+
		"  - image: k8s.io/etcd:3.4.3-0\n    command: [etcdctl, get, /]\n")
	if v := top.Etcd.Version; v.V != "3.5.15" {
		t.Errorf("got %+v", v)
	}
}

// TestBranches: of flags that branches of a template set nobody knows which one is there.
func TestBranches(t *testing.T) {
	const text = "kind: Pod\nspec:\n  containers:\n  - command:\n    - etcd\n    - --name=a\n" +
		"{{- if .Metrics }}\n    - --listen-metrics-urls=http://0.0.0.0:2381\n    - --client-cert-auth\n" +
		"{{- else }}\n    - --listen-metrics-urls=http://127.0.0.1:2381\n    - --client-cert-auth\n{{- end }}\n"
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "{{") {
			lines[i] = strings.Repeat(" ", len(l))
		}
	}
	top, _ := kubernetes.Target.Parse(target.Source{Path: "a.yaml", Files: []target.File{{
		Path: "a.yaml", Data: []byte(strings.Join(lines, "\n")), Written: []byte(text),
	}}})
	f := top.Etcd.Members[0].Flags
	if len(f.ListenMetricsURLs) != 1 || f.ListenMetricsURLs[0].Known() || !f.ClientCertAuth.V {
		t.Errorf("got %+v", f)
	}
}

func TestPlaceholderOfTheOnlyEndpoint(t *testing.T) {
	text := "kind: Pod\nspec:\n  containers:\n  - name: kube-apiserver\n    command: [kube-apiserver, \"--etcd-servers={{ etcd_lb }}\"]\n"
	masked := strings.Replace(text, "{{ etcd_lb }}", strings.Repeat(topology.Hole, 5)[:13], 1)
	top, _ := kubernetes.Target.Parse(target.Source{Path: "a.yaml", Files: []target.File{{Path: "a.yaml", Data: []byte(masked), Written: []byte(text)}}})
	if len(top.Dialers) != 1 || top.Dialers[0].Placeholder.V != "{{ etcd_lb }}" || top.Dialers[0].Endpoints[0].Known() {
		t.Errorf("got %+v", top.Dialers)
	}
}

func TestDetect(t *testing.T) {
	for name, tc := range map[string]struct {
		path, text string
		want       bool
	}{
		"template":      {"kube-apiserver.yaml.j2", "kind: Pod\n# kube-apiserver\n", true},
		"indented":      {"a.yaml", "    kind: Pod\n    spec:\n      containers:\n      - image: etcd\n", true},
		"another pod":   {"a.yaml", "kind: Pod\nspec:\n  containers:\n  - image: nginx\n", false},
		"no manifest":   {"a.yaml", "groups: []\n# etcd\n", false},
		"documentation": {"a.md", "kind: Pod\netcd\n", false},
		"json":          {"a.json", `{"kind": "Pod", "spec": {"containers": [{"image": "etcd"}]}}`, true},
	} {
		if got := kubernetes.Target.Detect(tc.path, []byte(tc.text)); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(apiServer))
	f.Add([]byte("kind: ClusterConfiguration\netcd: &e\n  local: {extraArgs: [*e, {name: a}]}\n  external: *e\n"))
	f.Add([]byte("kind: Pod\ncontainers: &c\n- *c\n- {name: etcd, command: [sh, -c, |\n  etcd --name\n  ]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := strings.Count(string(data), "\n") + 1
		top, _ := parse("a.yaml", string(data))
		for _, d := range top.Dialers {
			for _, v := range append(d.Endpoints, d.Overrides...) {
				if v.Span.Line < 1 || v.Span.Line > lines {
					t.Errorf("%q at %+v of %d lines", v.V, v.Span, lines)
				}
			}
		}
	})
}
