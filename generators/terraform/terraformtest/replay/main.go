// Replay is a Terraform provider of no cloud: it answers from the schema of a real one, so that Terraform itself says
// what a module gets wrong, without credentials and without a network. A plan is what the configuration asks for, with
// everything that the cloud would decide unknown; applying it invents those values.
//
// It stands in a module of its own since only tests build it. The schema is the file "schema.json" beside the program.
package main

import (
	"log"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
)

func main() {
	resources, err := loadSchemas(filepath.Join(filepath.Dir(os.Args[0]), "schema.json"))
	if err != nil {
		log.Fatal(err)
	}
	err = tf5server.Serve("replay", func() tfprotov5.ProviderServer { return &provider{resources: resources} })
	if err != nil {
		log.Fatal(err)
	}
}
