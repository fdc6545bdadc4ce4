package diag

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    int           `xml:"line,attr,omitempty"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Skipped *junitSkipped `xml:"skipped,omitempty"`
}

type junitFailure struct {
	Type    string `xml:"type,attr"` // the severity
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"` // printable, but for tabs and line ends
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

// JUnit prints findings as the failures of tests: a suite for each file with findings, a test for each of these, skipped
// where it is suppressed. Without any, one test passes, since readers take a report without tests for a mistake.
func JUnit(w io.Writer, r *Report) error {
	out := junitSuites{Name: "etcdlbgen"}
	source := newLines(r.Source)
	at := map[string]int{}
	add := func(d Diagnostic, failure *junitFailure, skipped *junitSkipped) {
		file := printable(Relative(d.Span.File, r.Dir))
		i, ok := at[file]
		if !ok {
			i = len(out.Suites)
			at[file] = i
			out.Suites = append(out.Suites, junitSuite{Name: file})
		}
		name := d.Rule
		if d.Span.Line > 0 {
			name += fmt.Sprintf(" %d:%d", d.Span.Line, max(d.Span.Col, 1))
		}
		out.Suites[i].add(junitCase{name, file, file, d.Span.Line, failure, skipped})
	}
	for _, d := range r.Diagnostics {
		var b strings.Builder
		if err := text(&b, List{d}, source, false); err != nil {
			return err
		}
		add(d, &junitFailure{d.Severity.String(), printable(said(d.Message)), "\n" + b.String()}, nil)
	}
	for _, s := range r.Suppressed {
		add(s.Diagnostic, nil, &junitSkipped{printable(s.justification())})
	}
	if len(out.Suites) == 0 {
		out.Suites = []junitSuite{{Name: "etcdlbgen"}}
		out.Suites[0].add(junitCase{Name: "lint", Class: "etcdlbgen"})
	}
	for _, s := range out.Suites {
		out.Tests, out.Failures, out.Skipped = out.Tests+s.Tests, out.Failures+s.Failures, out.Skipped+s.Skipped
	}
	return printXML(w, out)
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
}

func printXML(w io.Writer, v any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
