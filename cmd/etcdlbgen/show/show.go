// Package show prints facts that are derived from a spec: how to connect, what certificates hold, what stands where, and
// who may reach what. It decides nothing: all of it is what the topology says and targets write.
package show

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// ErrFormat is that a view has no such format.
var ErrFormat = errors.New("no such format")

// view is one kind of facts of one cluster: as a value for programs, as text for people, and as a diagram.
type view struct {
	value   func(*topology.Topology) any
	text    func(io.Writer, *topology.Topology)
	mermaid func(*topology.Topology) []string // nil where there is nothing to draw
}

var views = map[string]view{
	"endpoints": {value: endpointsValue, text: endpointsText},
	"sans":      {value: sansValue, text: sansText},
	"topology":  {value: topologyValue, text: topologyText, mermaid: topologyDiagram},
	"firewall":  {value: firewallValue, text: firewallText, mermaid: firewallDiagram},
}

// jsonVersion changes when a field changes its meaning or goes away; new fields do not change it.
const jsonVersion = 1

// Print prints what is asked for of each cluster, in the format text, json or mermaid.
func Print(w io.Writer, what, format string, clusters []*topology.Topology) error {
	v := views[what]
	switch {
	case format == "json":
		return printJSON(w, v, clusters)
	case format == "mermaid" && v.mermaid == nil:
		return fmt.Errorf("%w: %s is no diagram; need --format text or json", ErrFormat, what)
	}
	for i, t := range clusters {
		if len(clusters) > 1 {
			heading(w, i, format, t.Name.V)
		}
		if format == "mermaid" {
			fmt.Fprintln(w, strings.Join(v.mermaid(t), "\n"))
		} else {
			v.text(w, t)
		}
	}
	return nil
}

// heading tells clusters apart, in the comment sign of the format.
func heading(w io.Writer, i int, format, name string) {
	if i > 0 {
		fmt.Fprintln(w)
	}
	sign := "#"
	if format == "mermaid" {
		sign = "%%"
	}
	fmt.Fprintf(w, "%s %s\n", sign, name)
}

func printJSON(w io.Writer, v view, clusters []*topology.Topology) error {
	type named struct {
		Name  string `json:"name"`
		Facts any    `json:"facts"`
	}
	out := struct {
		Version  int     `json:"version"`
		Clusters []named `json:"clusters"`
	}{jsonVersion, []named{}}
	for _, t := range clusters {
		out.Clusters = append(out.Clusters, named{t.Name.V, v.value(t)})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// table prints rows in columns.
func table(w io.Writer, rows [][]string) {
	var widths []int
	for _, r := range rows {
		for i, cell := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, r := range rows {
		var line strings.Builder
		for i, cell := range r {
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}
