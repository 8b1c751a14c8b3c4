// Package shop is a small company's whole set-up as code: an online shop of
// twelve services with owners, objectives and channels, as YAML that anybody
// may copy and change. Package simulator plays its traffic.
package shop

import "embed"

// Files holds the documents, each *.yaml at its root.
//
//go:embed *.yaml
var Files embed.FS
