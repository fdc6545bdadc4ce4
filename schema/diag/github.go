package diag

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// GitHub prints findings as workflow commands, of which GitHub Actions makes annotations of the lines of a change.
func GitHub(w io.Writer, r *Report) error {
	b := bufio.NewWriter(w)
	for _, d := range r.Diagnostics {
		fmt.Fprintf(b, "::%s ", d.Severity)
		if d.Span.File != "" {
			fmt.Fprintf(b, "file=%s,", githubProperty.Replace(printable(Relative(d.Span.File, r.Dir))))
		}
		fmt.Fprintf(b, "%stitle=%s::%s\n", githubRange(d.Span), githubProperty.Replace(d.Rule), githubData.Replace(annotation(d)))
	}
	return b.Flush()
}

// githubRange is where an annotation points. Its end is inclusive, and there are no columns over several lines.
func githubRange(s Span) string {
	switch {
	case s.Line == 0:
		return ""
	case s.EndLine > s.Line:
		return fmt.Sprintf("line=%d,endLine=%d,", s.Line, s.EndLine)
	case s.EndLine == s.Line && s.EndCol > s.Col:
		return fmt.Sprintf("line=%d,col=%d,endColumn=%d,", s.Line, s.Col, s.EndCol-1)
	}
	return fmt.Sprintf("line=%d,col=%d,", s.Line, max(s.Col, 1))
}

// annotation is the message and the hint, without what would steer a terminal.
func annotation(d Diagnostic) string {
	if d.Hint == "" {
		return printable(said(d.Message))
	}
	return printable(said(d.Message)) + "\nhint: " + printable(said(d.Hint))
}
