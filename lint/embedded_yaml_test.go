package lint

import (
	"strconv"
	"strings"
	"testing"
)

// TestBlocks: a block of text in YAML begins and ends where YAML says, and is called what stands beside it.
func TestBlocks(t *testing.T) {
	for name, tc := range map[string]struct {
		yaml, name, body string
	}{
		"a key is a name":      {"data:\n  a.cfg: |\n    x\n    y\n  b: 1\n", "a.cfg", "    x\n    y\n"},
		"quoted":               {"data:\n  \"etc/a.cfg\": |-\n    x\n", "etc/a.cfg", "    x\n"},
		"a path before it":     {"write_files:\n- path: /etc/a.cfg\n  content: |\n    x\n- path: /etc/b\n", "etc/a.cfg", "    x\n"},
		"a path behind it":     {"write_files:\n  - content: |\n      x\n\n      y\n    path: /etc/a.cfg\n  - path: b\n", "etc/a.cfg", "      x\n\n      y\n"},
		"a path above it":      {"files:\n  - path: /etc/a.cfg\n    contents:\n      inline: |\n        x\n", "etc/a.cfg", "        x\n"},
		"no path of the next":  {"files:\n  - content: |\n      x\n  - path: /etc/b\n", "", "      x\n"},
		"an entry":             {"args:\n  - |\n    x\n  - y\n", "", "    x\n"},
		"a template's lines":   {"data:\n  a.cfg: |\n    x\n{{- if y }}\n    z\n{{- end }}\n  b: 1\n", "a.cfg", "    x\n{{- if y }}\n    z\n{{- end }}\n"},
		"settings of CoreOS":   {"#cloud-config\ncoreos:\n  update:\n    group: x\n  etcd2: # two\n    name: a\n\n    b: 1\n  units:\n    - name: etcd2\n", "etcd.conf.yml", "    name: a\n\n    b: 1\n"},
		"with a remark, bound": {"- copy:\n    dest: /etc/a.cfg # here\n    content: |2 # text\n        x\n", "etc/a.cfg", "        x\n"},
	} {
		found := blocks([]byte(tc.yaml), piece{to: len(tc.yaml), literal: true})
		if len(found) != 1 {
			t.Errorf("%s: %d blocks", name, len(found))
			continue
		}
		p := found[0].pieces[0]
		if got := tc.yaml[p.from:p.to]; found[0].name != tc.name || got != tc.body {
			t.Errorf("%s: %q %q", name, found[0].name, got)
		}
	}
	for _, none := range []string{"a: |\nb: 1\n", "a: b | c\n", "a: >\n  x\n", "a: |", "coreos:\n  etcd2:\n  units: x\n", "coreos:\n  units: x\nother:\n  etcd:\n    name: a\n"} {
		if found := blocks([]byte(none), piece{to: len(none), literal: true}); len(found) > 0 {
			t.Errorf("%q: %v", none, found)
		}
	}
}

// TestWithin: a script in cloud-init, that writes a file; what it loads itself is read with it.
func TestWithin(t *testing.T) {
	const text = "#cloud-config\nwrite_files:\n  - path: /opt/setup.sh\n    content: |\n" +
		"      #!/bin/bash\n      iptables -A INPUT -p tcp --dport 2379 -j ACCEPT\n" +
		"      cat > /etc/haproxy/haproxy.cfg <<EOF\n      global\n        maxconn 1\n      EOF\n" +
		"      cat > /etc/iptables/rules.v4 <<EOF\n      *filter\n      COMMIT\n      EOF\n" +
		"      etcd --name a --data-dir /x\n"
	for _, text := range []string{text, strings.ReplaceAll(text, "\n", "\r\n")} {
		var got []string
		for _, f := range embedded(file{path: "user-data", data: []byte(text)}) {
			got = append(got, f.format.Name)
		}
		if strings.Join(got, " ") != "iptables etcd haproxy" {
			t.Errorf("%v", got)
		}
	}
}

// TestWritten: what is appended belongs to the file, unless it is another branch that does.
func TestWritten(t *testing.T) {
	for name, tc := range map[string]struct {
		script string
		want   string // number of pieces of each file
	}{
		"appended":           {"cat > a <<E\n1\nE\ncat >> a <<E\n2\nE\n", "2"},
		"by tee":             {"cat <<E | sudo tee a\n1\nE\nsudo tee -a a <<E >/dev/null\n2\nE\n", "2"},
		"replaced":           {"cat > a <<E\n1\nE\ncat > a <<E\n2\nE\n", "1 1"},
		"another":            {"cat > a <<E\n1\nE\ncat >> b <<E\n2\nE\n", "1 1"},
		"in branches":        {"if x; then\ncat >> a <<E\n1\nE\nelse\ncat >> a <<E\n2\nE\nfi\n", "1 1"},
		"in cases":           {"case x in\na) cat >> a <<E\n1\nE\n;;\nb) cat >> a <<E\n2\nE\n;;\nesac\n", "1 1"},
		"behind branches":    {"cat > a <<E\n1\nE\nif x; then\n  echo skip\nelse\n  echo \"2\n3\" >> a\nfi\ncat >> a <<E\n4\nE\n", "3"},
		"if on one line":     {"cat > a <<E\n1\nE\nif x; then y; fi\ncat >> a <<E\n4\nE\n", "2"},
		"single lines":       {"cat > a <<E\n1\nE\necho \"  2 $x\" \\\n  >> a\necho '3' >> b\n", "2"},
		"echo":               {"echo '1\n2' > a\nprintf \"3\n\\\"4\n\" >> a\n", "2"},
		"echo of one line":   {"echo '1' > a\necho \"it's\" > b\n", ""},
		"a variable by echo": {"echo 'ETCD_NAME=\"a\"' | sudo tee -a a\necho 'OTHER=1' >> b\n", "1"},
		"run elsewhere":      {"ssh a bash <<'E'\n1\nE\nssh b <<'E'\n2\nE\n", "1 1"},
		"quoted as a whole":  {"bash -c 'cat > a <<E\n1\nE'\ncat > b <<E\n2\nE\n", "1 1"},
		"echo without end":   {"echo '1\n2\n", ""},
		"line by line":       {"echo '1' > $F\necho \"2\" >> $F\nfor i in 3; do\necho \"$i\" >> $F\ndone\n", "3"},
		"line by line, tee":  {"echo '1' | tee ${F}\necho '2' | tee -a ${F}\necho '3' | tee -a ${F}\n", "3"},
		"group":              {"{\n  echo '1'\n  cat <<E\n2\nE\n  { # more\n    echo '3'\n  }\n} | sudo tee a\n", "3"},
		"group elsewhere":    {"(\n  echo 'done'\n  cat <<E\n2\nE\n)\n", "1"},
		"function":           {"f() {\n  echo '1'\n  echo '2'\n  echo '3'\n}\nf | tee a\nf > b\n", "3"},
		"function, uncalled": {"function f {\n  echo 'busy'\n  cat <<E\n2\nE\n  kubectl apply -f - <<E\n3\nE\n}\nf\n", "1 1"},
		"open group":         {"f() {\n  cat <<E\n2\nE\n", "1"},
		"no quote of a word": {"# don't echo 'x\ncat > a <<E\n1\nE\n", "1"},
	} {
		var got []string
		for _, in := range written([]byte(tc.script), piece{to: len(tc.script), literal: true}) {
			got = append(got, strconv.Itoa(len(in.pieces)))
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: %v, want %s", name, got, tc.want)
		}
	}
}
