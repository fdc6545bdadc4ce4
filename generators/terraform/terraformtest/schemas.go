// Package terraformtest holds the oracles of Terraform modules: what providers say of their resources, a check of a
// module's text against that, and Terraform itself, whose providers answer from the same schemas.
package terraformtest

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
)

// Block is what a provider knows of a resource or nested block.
type Block struct {
	Attributes  map[string]Attribute `json:"attributes,omitempty"`
	Blocks      map[string]Block     `json:"blocks,omitempty"`
	MinItems    int                  `json:"min_items,omitempty"`
	MaxItems    int                  `json:"max_items,omitempty"`
	NestingMode string               `json:"nesting_mode,omitempty"`
}

// Attribute is one argument, or what the provider tells of a resource.
type Attribute struct {
	Type       json.RawMessage `json:"type"`
	Nested     *Block          `json:"nested,omitempty"`
	Required   bool            `json:"required,omitempty"`
	Optional   bool            `json:"optional,omitempty"`
	Computed   bool            `json:"computed,omitempty"`
	Deprecated string          `json:"deprecated,omitempty"`
}

// Provider is one major version of a provider.
type Provider struct {
	Name    string // "aws"
	Version string // one of that major
	file    string // of facts, without extension
	adapt   func(map[string]Block)
}

// Providers are those that modules are written for. Where a major has no file of its own it is the neighbour's, less or
// more what is known to differ in the resources that modules use.
var Providers = []Provider{
	{"aws", "5.100.0", "aws_6", without(
		"region", "target_control_port", "quic_server_id", "secondary_ips_auto_assigned_per_subnet", "health_check_logs",
		"jwt_validation", "evaluation_criteria", "evaluation_interval", "warm_up_configuration",
	)},
	{"aws", "6.66.0", "aws_6", nil},
	{"azurerm", "4.73.0", "azurerm_4", nil},
	{"azurerm", "5.2.0", "azurerm_5", nil},
	{"google", "6.50.0", "google_6", withAlerts},
	{"google", "7.45.0", "google_6", withTracking},
}

//go:embed schemas
var schemas embed.FS

// Resources are the resources that the provider knows, as far as the facts reach.
func (p Provider) Resources() (map[string]Block, error) {
	data, err := schemas.ReadFile("schemas/" + p.file + ".json")
	if err != nil {
		return nil, err
	}
	var doc struct{ Resources map[string]Block }
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", p.file, err)
	}
	if p.adapt != nil {
		p.adapt(doc.Resources)
	}
	return doc.Resources, nil
}

// without drops arguments and blocks that came with a later major.
func without(names ...string) func(map[string]Block) {
	var drop func(map[string]Block)
	drop = func(blocks map[string]Block) {
		for name, b := range blocks {
			if slices.Contains(names, name) {
				delete(blocks, name)
				continue
			}
			for _, attribute := range names {
				delete(b.Attributes, attribute)
			}
			drop(b.Blocks)
		}
	}
	return drop
}

func optional(kind string) Attribute { return Attribute{Type: json.RawMessage(kind), Optional: true} }

var required = Attribute{Type: json.RawMessage(`"string"`), Required: true}

// withAlerts adds the resource for alerts of Google's provider, as far as modules write it: its file has none.
func withAlerts(resources map[string]Block) {
	one := func(attributes map[string]Attribute, blocks map[string]Block) Block {
		return Block{Attributes: attributes, Blocks: blocks, MaxItems: 1, NestingMode: "list"}
	}
	condition := one(map[string]Attribute{"display_name": required, "name": {Type: json.RawMessage(`"string"`), Computed: true}}, map[string]Block{
		"condition_matched_log": one(map[string]Attribute{"filter": required, "label_extractors": optional(`["map","string"]`)}, nil),
	})
	condition.MinItems, condition.MaxItems = 1, 0
	resources["google_monitoring_alert_policy"] = Block{
		Attributes: map[string]Attribute{
			"display_name": required, "combiner": required, "enabled": optional(`"bool"`), "severity": optional(`"string"`),
			"notification_channels": optional(`["list","string"]`), "user_labels": optional(`["map","string"]`),
			"project": {Type: json.RawMessage(`"string"`), Optional: true, Computed: true},
			"id":      {Type: json.RawMessage(`"string"`), Optional: true, Computed: true},
			"name":    {Type: json.RawMessage(`"string"`), Computed: true},
		},
		Blocks: map[string]Block{
			"conditions": condition,
			"alert_strategy": one(map[string]Attribute{"auto_close": optional(`"string"`)}, map[string]Block{
				"notification_rate_limit": one(map[string]Attribute{"period": optional(`"string"`)}, nil),
			}),
			"documentation": one(map[string]Attribute{"content": optional(`"string"`), "mime_type": optional(`"string"`), "subject": optional(`"string"`)}, nil),
		},
	}
}

// withTracking adds what Google's provider has from 7.32 on.
func withTracking(resources map[string]Block) {
	withAlerts(resources)
	resources["google_compute_region_backend_service"].Blocks["connection_tracking_policy"] = Block{
		Attributes: map[string]Attribute{
			"connection_persistence_on_unhealthy_backends": optional(`"string"`),
			"enable_strong_affinity":                       optional(`"bool"`),
			"idle_timeout_sec":                             optional(`"number"`),
			"tracking_mode":                                optional(`"string"`),
		},
		MaxItems: 1, NestingMode: "list",
	}
}
