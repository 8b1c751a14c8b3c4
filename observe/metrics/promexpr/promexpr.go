// Package promexpr reads and rewrites PromQL expressions on their syntax tree.
//
// It parses with Prometheus' own parser, says where an expression is wrong in
// both languages, and takes increases of counters inside an expression. It never
// edits text, evaluates nothing and does no I/O.
package promexpr
