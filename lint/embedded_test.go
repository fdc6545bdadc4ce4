package lint

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func TestEmbedded(t *testing.T) {
	const cfg = "global\n  maxconn 1\ndefaults\n  mode tcp\n"
	for _, tt := range []struct {
		name, script string
		want         []string // formats
	}{
		{"by its name", "cat > /etc/haproxy/haproxy.cfg <<EOF\n" + cfg + "EOF\n", []string{"haproxy"}},
		{"by its text", "cat <<'EOF' | ssh lb 'cat > x'\n" + cfg + "EOF\n", []string{"haproxy"}},
		{"through tee", "sudo tee /etc/nginx/nginx.conf >/dev/null <<-\"EOF\"\n\tevents { }\n\tEOF\n", []string{"nginx"}},
		{"two", "cat >a.cfg <<A\n" + cfg + "A\ncat >b.cfg <<B\n" + cfg + "B\n", []string{"haproxy", "haproxy"}},
		{"without an end", "cat > haproxy.cfg <<EOF\n" + cfg, []string{"haproxy"}},
		{"of a script by its text", "ssh m <<'E'\nset -e\ncat > /etc/nginx/nginx.conf <<F\nevents { }\nF\nE\n", []string{"nginx"}},
		{"of YAML by its text", "kubectl apply -f - <<E\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: etcd\nE\n", []string{"kubernetes"}},
		{"of Compose by its text", "docker stack deploy -c - e <<E\nservices:\n  a:\n    image: etcd\n    command: etcd --name a\nE\n", []string{"etcd"}},
		{"of another kind", "cat > motd <<EOF\nhello\nEOF\n", nil},
		{"none", "echo '<<' EOF\nx=$((1 << 2))\n", nil},
		{"rules of iptables", "cat > /etc/iptables/rules.v4 <<EOF\n*filter\n-A INPUT -j DROP\nCOMMIT\nEOF\n", []string{"iptables"}},
	} {
		var got []string
		for _, f := range embedded(file{path: "x.sh", data: []byte(tt.script)}) {
			got = append(got, f.format.Name)
		}
		if again := embedded(file{path: "x.sh", data: []byte(tt.script), format: detect("x.iptables", []byte("*filter\n"))}); tt.name == "rules of iptables" && len(again) > 0 {
			t.Errorf("%s: read twice", tt.name)
		}
		if strings.Join(got, " ") != strings.Join(tt.want, " ") {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestExtract(t *testing.T) {
	const body = "bind ${ADDR}:$PORT \\$x $(hostname) `id -u`\n"
	script := "ä <<X\n" + body + "X\ndone\n"
	doc := inner{pieces: []piece{{from: strings.Index(script, "bind"), to: strings.Index(script, "X\nd")}}}
	from, to := doc.pieces[0].from-1, doc.pieces[0].to-1 // in what is extracted, where the letter before has one byte
	got := string(doc.extract([]byte(script)))
	if len(got) != utf8.RuneCountInString(script) || strings.Count(got, "\n") != strings.Count(script, "\n") {
		t.Fatalf("moved: %q", got)
	}
	if strings.TrimSpace(got[:from]) != "" || strings.TrimSpace(got[to:]) != "" {
		t.Errorf("the script shows: %q", got)
	}
	words := strings.Fields(got)
	if len(words) != 5 || words[0] != "bind" || words[2] != `\$x` {
		t.Fatalf("%q", words)
	}
	for _, i := range []int{1, 3, 4} {
		if !topology.IsHole(words[i]) {
			t.Errorf("%q is taken to be text", words[i])
		}
	}
	doc.pieces[0].literal = true
	if got := string(doc.extract([]byte(script))); got[from:to] != body {
		t.Errorf("replaced in a literal one: %q", got)
	}
}
