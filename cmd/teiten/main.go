// Command teiten is the server, the demo and the command line in one binary.
package main

import (
	"os"

	"github.com/teiten/teiten/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
