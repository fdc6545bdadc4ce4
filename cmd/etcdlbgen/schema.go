package main

import "github.com/etcdlbgen/etcdlbgen/schema"

type schemaCmd struct {
	Format string `enum:"cue,jsonschema" default:"cue" help:"One of ${enum}; jsonschema is for editors of YAML and JSON specs."`
}

// Run prints the schema of specs: all fields with their meaning and defaults.
func (c *schemaCmd) Run(s *streams) error {
	text := schema.Source
	if c.Format == "jsonschema" {
		var err error
		if text, err = schema.JSONSchema(); err != nil {
			return err
		}
	}
	_, err := s.out.Write(text)
	return err
}
