// Fake is a program that pretends to be the aws or the gcloud command, whichever it is called.
package main

import (
	"os"

	"github.com/etcdlbgen/etcdlbgen/generators/cloudcli/cloudclitest"
)

func main() { os.Exit(cloudclitest.Main()) }
