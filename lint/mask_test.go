package lint

import (
	"bytes"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func TestMask(t *testing.T) {
	for name, tc := range map[string]struct {
		in, want string
		own      []string
	}{
		"nothing":           {in: "bind *:2379", want: "bind *:2379"},
		"jinja value":       {in: "bind {{ ip }}:2379", want: "bind q_zq_zq_:2379"},
		"two values":        {in: "{{a}}{{b}} x", want: "q_zq_q_zq_ x"},
		"statement":         {in: "a\n  {% if x %}\nb\n{% endif -%}\nc", want: "a\n            \nb\n            \nc"},
		"end of a loop":     {in: "{{ range .S }}\nserver a check{{ end }}\n", want: strings.Repeat(" ", 14) + "\nserver a check         \n"},
		"loop on its line":  {in: "  {{range .S}}server {{ .N }} check\n  {{end}}", want: "  " + strings.Repeat(" ", 12) + "server q_zq_zq_ check\n         "},
		"ruby's loop":       {in: "<% s.each do |x| %>server <%= x %>\n<% end %>", want: strings.Repeat(" ", 19) + "server q_zq_zq_\n         "},
		"loop on one line":  {in: "{% for x in s %}a {{ x }} {% endfor %}", want: "q_zq_zq_zq_zq_zqa q_zq_zq q_zq_zq_zq_z"},
		"end of another":    {in: "{% for s in t %}\nserver a check{% if s %} ssl{% endif %}{% endfor %}", want: strings.Repeat(" ", 16) + "\nserver a checkq_zq_zq_zq sslq_zq_zq_zq_zq_zq_zq_zq_"},
		"a comment behind":  {in: "{% if x %} # y\nb", want: "           # y\nb"},
		"statements":        {in: "{% if x %} {% set y %}\nb", want: "                      \nb"},
		"statement inline":  {in: "server a {% if c %}check{% endif %}", want: "server a q_zq_zq_zqcheckq_zq_zq_zq_"},
		"statement, lines":  {in: "{% set x = [\n 1,\n] %}\nb", want: "            \n   \n    \nb"},
		"go statement":      {in: "{{- range .Members }}\nserver {{ .Name }}\n{{- end }}", want: strings.Repeat(" ", 21) + "\nserver q_zq_zq_zq_\n          "},
		"go, a value":       {in: "{{ .Server }}\n", want: "q_zq_zq_zq_zq\n"},
		"erb value":         {in: "bind <%= @ip %>:1", want: "bind q_zq_zq_zq:1"},
		"erb statement":     {in: "<% if x -%>\nb", want: "           \nb"},
		"shell":             {in: "timeout ${T:-${U}}s", want: "timeout q_zq_zq_zqs"},
		"shell, own":        {in: "timeout ${T} {{ x }}", want: "timeout ${T} q_zq_zq", own: []string{"${"}},
		"autoconf":          {in: "user @HAPROXY_USER@ x", want: "user q_zq_zq_zq_zq_ x"},
		"mail address":      {in: "a@b.example c@d", want: "a@b.example c@d"},
		"value over lines":  {in: "a {{ x |\n  y }} b", want: "a q_zq_z\n       b"},
		"letters":           {in: "bind {{ größe }}:2379", want: "bind q_zq_zq_zq_:2379"},
		"letters, blank":    {in: "{% if é %}\nb", want: "          \nb"},
		"no text":           {in: "a {{\xff\xfe}} b", want: "a q_zq_z b"},
		"unclosed":          {in: "a {{ b\nc", want: "a {{ b\nc"},
		"shell over a line": {in: "a ${b\n}", want: "a ${b\n}"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(mask([]byte(tc.in), tc.own)); got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}

// Positions in masked text are positions in the file, and masking is done in one pass over hostile input, too.
func FuzzMask(f *testing.F) {
	for _, s := range []string{"bind {{ ip }}:2379\n", "{% if %}\n", "<%= x %>", "${a${b}}", "@X@", strings.Repeat("${", 5000), strings.Repeat("{{", 5000)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := bytes.Clone(data)
		got := mask(data, nil)
		if !bytes.Equal(in, data) {
			t.Fatal("input changed")
		}
		before, after := []rune(string(data)), []rune(string(got))
		if len(after) != len(before) {
			t.Fatalf("length %d became %d", len(before), len(after))
		}
		for i, r := range before {
			if (r == '\n') != (after[i] == '\n') {
				t.Fatalf("line end at %d", i)
			}
			if after[i] != r && after[i] != ' ' && !strings.ContainsRune(topology.Hole, after[i]) {
				t.Fatalf("character %d became %q", i, after[i])
			}
		}
	})
}

func BenchmarkMaskHostile(b *testing.B) {
	for name, unit := range map[string]string{"statements": "{%%}x", "values": "{{}}x", "open": "{{", "shell": "${", "erb": "<% x %> y", "go": "{{if}}"} {
		data := bytes.Repeat([]byte(unit), MaxFile/len(unit))
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				mask(data, nil)
			}
		})
	}
}
