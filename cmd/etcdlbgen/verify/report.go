package verify

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Result is how a check ended.
type Result string

// The results. What could not be judged is skipped, and says why.
const (
	Pass Result = "pass"
	Fail Result = "fail"
	Skip Result = "skip"
)

// Line is one judgement: of one check at one endpoint.
type Line struct {
	Target string `json:"target"`
	URL    string `json:"url"`
	Check  string `json:"check"`
	Result Result `json:"result"`
	Reason string `json:"reason"`
	Hint   string `json:"hint,omitempty"`
	// Latency is of the check of that name.
	Latency *Latency `json:"latency,omitempty"`
}

// Latency is how long a read takes both ways, as medians in milliseconds.
type Latency struct {
	LoadBalancer float64 `json:"loadBalancerMs"`
	Direct       float64 `json:"directMs"`
	Reads        int     `json:"reads"` // each way
}

// Report is what there is to say of one cluster.
type Report struct {
	Cluster string
	Targets []Endpoint
	Lines   []Line
}

// Failed counts the lines that failed.
func (r *Report) Failed() int { return r.count(Fail) }

func (r *Report) count(what Result) int {
	n := 0
	for _, l := range r.Lines {
		if l.Result == what {
			n++
		}
	}
	return n
}

func (e Endpoint) line(check string, result Result, reason, hint string) Line {
	return Line{Target: e.Label(), URL: e.URL, Check: check, Result: result, Reason: reason, Hint: hint}
}

// Targets prints what is going to be dialed.
func Targets(w io.Writer, p Plan) {
	switch {
	case p.listed:
		fmt.Fprintln(w, "and, as etcd lists them:")
	case p.Cluster == "":
		fmt.Fprintln(w, "verify dials:")
	default:
		fmt.Fprintf(w, "verify dials, of cluster %s:\n", p.Cluster)
	}
	for _, e := range p.Endpoints {
		fmt.Fprintf(w, "  %s %s\n", e.Label(), e.URL)
		if e.Peer != "" {
			fmt.Fprintf(w, "    and %s, which must be closed\n", e.Peer)
		}
		if e.Health.URL != "" {
			fmt.Fprintf(w, "    and %s\n", e.Health.URL)
		}
	}
	if p.Discover {
		fmt.Fprintln(w, "  and the members that etcd lists there")
	}
}

// Text prints the report for people.
func (r *Report) Text(w io.Writer, colored bool) {
	paint := func(result Result) string { return fmt.Sprintf("%-4s", result) }
	if colored {
		colors := map[Result]string{Pass: "32", Fail: "31", Skip: "33"}
		paint = func(result Result) string { return fmt.Sprintf("\x1b[1;%sm%-4s\x1b[0m", colors[result], result) }
	}
	for _, l := range r.Lines {
		fmt.Fprintf(w, "%s %s: %s: %s\n", paint(l.Result), strings.TrimSpace(l.Target+" "+l.URL), l.Check, l.Reason)
		if l.Hint != "" {
			fmt.Fprintf(w, "     hint: %s\n", l.Hint)
		}
	}
	fmt.Fprintf(w, "%s%d passed, %d failed, %d not judged\n", r.prefix(), r.count(Pass), r.Failed(), r.count(Skip))
}

func (r *Report) prefix() string {
	if r.Cluster == "" {
		return ""
	}
	return r.Cluster + ": "
}

// jsonVersion changes when a field changes its meaning or goes away; new fields do not change it.
const jsonVersion = 1

type jsonReport struct {
	Version  int           `json:"version"`
	Clusters []jsonCluster `json:"clusters"`
}

type jsonCluster struct {
	Name    string       `json:"name,omitempty"`
	Targets []jsonTarget `json:"targets"`
	Checks  []Line       `json:"checks"`
	Passed  int          `json:"passed"`
	Failed  int          `json:"failed"`
	Skipped int          `json:"skipped"`
}

type jsonTarget struct {
	Role   Role   `json:"role"`
	Name   string `json:"name,omitempty"`
	URL    string `json:"url"`
	Peer   string `json:"peer,omitempty"`
	Health string `json:"health,omitempty"`
}

// JSON prints reports as one object with a version.
func JSON(w io.Writer, reports []*Report) error {
	out := jsonReport{Version: jsonVersion, Clusters: []jsonCluster{}}
	for _, r := range reports {
		c := jsonCluster{
			Name: r.Cluster, Targets: []jsonTarget{}, Checks: append([]Line{}, r.Lines...),
			Passed: r.count(Pass), Failed: r.Failed(), Skipped: r.count(Skip),
		}
		for _, e := range r.Targets {
			c.Targets = append(c.Targets, jsonTarget{e.Role, e.Name, e.URL, e.Peer, e.Health.URL})
		}
		out.Clusters = append(out.Clusters, c)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
