package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
)

// chosen are the flags that pick documents.
type chosen struct {
	Set   string `help:"Only what this set applied, or browser." placeholder:"NAME"`
	Owner string `help:"Only what this team owns." placeholder:"TEAM"`
	Query string `help:"Only names that contain this." short:"q" placeholder:"TEXT"`
}

func (c chosen) query(kind string) url.Values {
	q := url.Values{}
	for k, v := range map[string]string{"kind": kind, "set": c.Set, "owner": c.Owner, "q": c.Query} {
		if v != "" {
			q.Set(k, v)
		}
	}
	return q
}

// key is one document on the command line.
type key struct {
	Kind      string `arg:"" help:"Kind or its plural: SLO, slos. kinds lists them."`
	Namespace string `help:"Namespace." default:"default" short:"n"`
}

func (k key) path(name string) string {
	return "/api/v1/documents/" + url.PathEscape(k.Kind) + "/" + url.PathEscape(k.Namespace) + "/" + url.PathEscape(name)
}

// getCmd lists documents or shows one.
type getCmd struct {
	remote
	key
	chosen
	parts
	Name   string `arg:"" optional:"" help:"Name of one document."`
	Output string `help:"How to write it: table, json or yaml." enum:"table,json,yaml," default:"" short:"o"`
}

func (c *getCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	switch {
	case c.wanted():
		return c.instances(ctx, s, to)
	case c.Kind == "kinds":
		return listKinds(ctx, s, to)
	case c.Name != "":
		return c.one(ctx, s, to)
	case c.Output == "yaml":
		return export(ctx, s, to, c.query(c.Kind))
	}
	docs, err := everything[ascode.Stored](ctx, to, "/api/v1/documents", c.query(c.Kind))
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(docs)
	}
	s.table([]text.Both{text.Say("NAME", "名前"), text.Say("OWNER", "担当"), text.Say("MANAGED BY", "管理"), text.Say("REV", "版"), text.Say("UPDATED", "更新")}, len(docs), func(i int) []any {
		d := docs[i]
		return []any{d.Name, d.Owner, managed(d), d.Revision, d.UpdatedAt}
	})
	return nil
}

func managed(d ascode.Stored) string {
	if d.File == "" {
		return d.ManagedBy
	}
	return fmt.Sprintf("%s %s:%d", d.ManagedBy, d.File, d.Line)
}

func (c *getCmd) one(ctx context.Context, s *streams, to *client) error {
	var d ascode.Stored
	if err := to.call(ctx, http.MethodGet, c.path(c.Name), nil, nil, &d); err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(d)
	}
	y, err := yaml.Marshal(d.Document)
	if err != nil {
		return err
	}
	_, err = s.out.Write(y)
	return err
}

func listKinds(ctx context.Context, s *streams, to *client) error {
	var kinds struct {
		Items []ascode.KindView `json:"items"`
	}
	if err := to.call(ctx, http.MethodGet, "/api/v1/kinds", nil, nil, &kinds); err != nil {
		return err
	}
	s.table([]text.Both{text.Say("ID", "ID"), text.Say("KIND", "種類"), text.Say("API VERSION", "APIバージョン"), text.Say("TITLE", "名称")}, len(kinds.Items), func(i int) []any {
		k := kinds.Items[i]
		return []any{k.ID, k.Kind, k.APIVersion, k.Title}
	})
	return nil
}

// exportCmd writes documents as YAML that applies to the same.
type exportCmd struct {
	remote
	chosen
	Kind string   `arg:"" optional:"" help:"Only this kind; or rules for Prometheus, or grafana for a dashboard over them."`
	SLO  []string `name:"slo" help:"With rules: only these objectives." placeholder:"NAME"`
}

func (c *exportCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	switch c.Kind {
	case "rules":
		return copied(ctx, s, to, "/api/v1/slo-rules", url.Values{"slo": c.SLO})
	case "grafana":
		return copied(ctx, s, to, "/api/v1/slo-dashboard", nil)
	}
	return export(ctx, s, to, c.query(c.Kind))
}

func export(ctx context.Context, s *streams, to *client, q url.Values) error {
	return copied(ctx, s, to, "/api/v1/documents/export", q)
}

// copied writes an answer of the server as it is.
func copied(ctx context.Context, s *streams, to *client, path string, q url.Values) error {
	body, err := to.raw(ctx, http.MethodGet, path, q, nil)
	if err != nil {
		return err
	}
	_, err = s.out.Write(body)
	return err
}

// deleteCmd removes one document after asking.
type deleteCmd struct {
	remote
	key
	Name string `arg:"" help:"Name of the document."`
	Set  string `help:"Set that a document from code belongs to." placeholder:"NAME"`
	Yes  bool   `help:"Do not ask." short:"y"`
}

func (c *deleteCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	var d ascode.Stored
	if err := to.call(ctx, http.MethodGet, c.path(c.Name), nil, nil, &d); err != nil {
		return err
	}
	if !c.Yes && !s.agrees(text.Say("Delete %s %s?", "%s %s を削除しますか?", d.Kind, d.Name)) {
		s.say(text.Say("nothing was changed", "何も変更していません"))
		return nil
	}
	q := url.Values{}
	if c.Set != "" {
		q.Set("set", c.Set)
	}
	to.ifMatch = fmt.Sprintf(`"r%d"`, d.Revision)
	if err := to.call(ctx, http.MethodDelete, c.path(c.Name), q, nil, nil); err != nil {
		return err
	}
	s.say(text.Say("deleted", "削除しました"))
	return nil
}

// json writes v as indented JSON.
func (s *streams) json(v any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table writes aligned columns under a heading.
func (s *streams) table(heads []text.Both, rows int, row func(i int) []any) {
	if rows == 0 {
		s.say(text.Say("nothing found", "該当するものはありません"))
		return
	}
	w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
	for i, h := range heads {
		fmt.Fprint(w, separator(i), h.In(s.lang))
	}
	fmt.Fprintln(w)
	for r := range rows {
		for i, cell := range row(r) {
			fmt.Fprint(w, separator(i), cell)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

func separator(i int) string {
	if i == 0 {
		return ""
	}
	return "\t"
}
