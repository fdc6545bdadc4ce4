// Package prometheus writes alerting rules with their unit tests and scrape configurations, and reads rule files,
// PrometheusRule objects and scrape configurations back.
package prometheus

import (
	"path"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Target is the Prometheus format.
var Target = target.Target{
	Name:    name,
	Doc:     "Prometheus alerting rules with promtool tests, and what to scrape",
	Render:  render,
	Detect:  detect,
	Parse:   parse,
	Facts:   topology.FAlerts | topology.FScrapes,
	Own:     []string{"{{"},
	Comment: "#",
}

const name = "prometheus"

var (
	isYAML = pattern.New(`\.(ya?ml|rules)$`)
	// A rule file, or a PrometheusRule object, has groups with rules; a configuration scrape_configs, one meant for
	// inclusion may be a list of jobs or of alerts, or one alert.
	hasGroups  = pattern.New(`(?m)^ *groups:`)
	hasRules   = pattern.New(`(?m)^[ \t-]*(rules|alert|record):`)
	hasScrapes = pattern.New(`(?m)^(scrape_configs:|- job_name:)`)
	hasAlerts  = pattern.New(`(?m)^( *- )?alert:`)
	hasExpr    = pattern.New(`(?m)^ *expr:`)
)

func detect(file string, head []byte) bool {
	if !isYAML.MatchString(path.Base(file)) {
		return false
	}
	return hasScrapes.Match(head) || hasGroups.Match(head) && hasRules.Match(head) ||
		hasAlerts.Match(head) && hasExpr.Match(head)
}
