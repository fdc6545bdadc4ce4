package topology

// Panel is one diagram of a dashboard.
type Panel struct {
	Title, About string
	Unit         string // as Grafana calls it: short, s, bytes, percentunit, cps
	Queries      []Query
}

// Query is what a panel draws.
type Query struct {
	Expr   string // canonical PromQL
	Legend string // with the names of labels in braces
}
