// Command etcdlbgen compiles a description of an etcd cluster behind a load balancer into the files that run it, and
// lints such files.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
