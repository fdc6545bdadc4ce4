package haproxy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		text string
		want []string // word@column+width, ? where it is unknown
		open bool
	}{
		{"", nil, false},
		{" \t\r", nil, false},
		{"# all comment", nil, false},
		{"server a b:1#c", []string{"server@1+6", "a@8+1", "b:1@10+3"}, false},
		{"\tbind :1\r", []string{"bind@2+4", ":1@7+2"}, false},
		{`a "b c" 'd "e'`, []string{"a@1+1", "b c@3+5", `d "e@9+6`}, false},
		{`x"y z"w`, []string{"xy zw@1+7"}, false},
		{`a\ b \# \\ \q`, []string{"a b@1+4", "#@6+2", `\@9+2`, `\q@12+2`}, false},
		{`"a\"b" 'c\'`, []string{`a"b@1+6`, `c\@8+4`}, false},
		{`"" x`, []string{"@1+2", "x@4+1"}, false},
		{"größe ☃ x", []string{"größe@1+5", "☃@7+1", "x@9+1"}, false},
		{"\xff\xfe x", []string{"\uFFFD\uFFFD@1+2", "x@4+1"}, false},
		{`"${A}" $B '$C' $ x$1`, []string{"${A}@1+6?", "$B@8+2?", "$C@11+4", "$@16+1", "x$1@18+3"}, false},
		{"q_zq_z x-q_z", []string{"q_zq_z@1+6?", "x-q_z@8+5?"}, false},
		{`a "b # c`, []string{"a@1+1", "b # c@3+6"}, true},
		{`a 'b`, []string{"a@1+1", "b@3+2"}, true},
		{`a \`, []string{"a@1+1", `\@3+1`}, false},
	}
	for _, tt := range tests {
		words, open := split(tt.text, "f", 1)
		var got []string
		for _, w := range words {
			s := fmt.Sprintf("%s@%d+%d", w.text, w.at.Col, w.at.EndCol-w.at.Col)
			if w.unknown {
				s += "?"
			}
			got = append(got, s)
		}
		if !slices.Equal(got, tt.want) || open != tt.open {
			t.Errorf("%q splits into %q (open %v), want %q (open %v)", tt.text, got, open, tt.want, tt.open)
		}
	}
}

func TestOpenQuote(t *testing.T) {
	top, problems := parse(source(target.Artifact{Path: "haproxy.cfg", Data: []byte("global\n  maxconn 5\nlisten 'a\n  bind :2379\n")}))
	if len(problems) != 1 || problems[0].Rule != "syntax" || problems[0].Severity != diag.Error ||
		problems[0].Span != diag.At("haproxy.cfg", 3, 8, 2) {
		t.Errorf("%+v", problems)
	}
	if len(top.Proxies) != 1 || show(top.Proxies[0].MaxConns) != "5" { // the rest is still read
		t.Errorf("%+v", top.Proxies)
	}
}

// FuzzParse: whatever the text, the parser returns, and says the same again.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		guide, "listen a\nbind :1-9,:::2 v4v6\nserver-template s 1-9 h:1 check\n", "frontend f\nuse_backend %[x] if { src 1.2.3.4 }\n",
		"backend b\noption httpchk\nhttp-check\nhttp-check send uri\nserver\nserver a\ndefault-server crt\n",
		"defaults a from a\ndefaults from\nfrontend from from\n", "no\noption\ntimeout\nbind\nacl\nhttp-request deny unless\n",
		".if\nlisten x\n.else\nserver a b:q_zq check port\n", "global\nlisten 'x\n bind \"\\",
	} {
		f.Add(text)
	}
	for _, s := range specs {
		_, file := rendered(f, s.spec)
		f.Add(string(file.Data))
	}
	f.Add(fmt.Sprintf(before, "/tmp", 1) + fmt.Sprintf(after, 2))
	f.Fuzz(func(t *testing.T, text string) {
		files := []target.File{{Path: "a.cfg", Data: []byte(text)}, {Path: "b.cfg", Data: []byte(text)}}
		first, _ := parse(target.Source{Path: "a.cfg", Files: files})
		second, _ := parse(target.Source{Path: "a.cfg", Files: files})
		if len(first.Proxies) != len(second.Proxies) {
			t.Fatalf("%d proxies, then %d", len(first.Proxies), len(second.Proxies))
		}
		for i := range first.Proxies {
			a, b := describe(&first.Proxies[i]), describe(&second.Proxies[i])
			if !slices.Equal(a, b) {
				t.Errorf("%s\nthen\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
			}
		}
	})
}
