package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/teiten/teiten/app"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
)

// referenceCmd writes the documents that are generated from the code.
type referenceCmd struct {
	Folder string `help:"Where to write them." default:"docs/reference"`
}

func (c *referenceCmd) Run(ctx context.Context) error {
	if err := os.MkdirAll(c.Folder, 0o755); err != nil {
		return err
	}
	return app.Offline(ctx, func(a *app.App) error {
		for _, l := range []text.Lang{text.EN, text.JA} {
			kinds, err := kindsReference(a.AsCode.Registry(), l)
			if err != nil {
				return err
			}
			for name, body := range map[string]string{"configuration": configurationReference(l), "kinds": kinds, "measures": measuresReference(a, l)} {
				if err := os.WriteFile(filepath.Join(c.Folder, name+extension(l)), []byte(body), 0o644); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func extension(l text.Lang) string {
	if l == text.JA {
		return ".ja.md"
	}
	return ".md"
}

// generated begins a page: the way to its twin in the other language, and where
// it comes from.
func generated(page string, l text.Lang) string {
	twin, name := text.JA, "日本語"
	if l == text.JA {
		twin, name = text.EN, "English"
	}
	return fmt.Sprintf("[%s](%s)\n\n%s", name, page+extension(twin), generatedNote.In(l))
}

var generatedNote = text.Say("This page is generated from the code by `make generate`.", "このページは `make generate` でコードから生成されます。")

func configurationReference(l text.Lang) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n%s\n\n", text.Say("Configuration", "設定").In(l), generated("configuration", l),
		text.Say("`teiten serve --config teiten.yaml` reads these keys from a YAML file; an unknown key is an error with its line. The environment wins over the file, and flags win over both. `teiten config check teiten.yaml` shows what is in force.",
			"`teiten serve --config teiten.yaml` は次のキーをYAMLファイルから読みます。未知のキーは行番号付きのエラーになります。ファイルより環境変数が、環境変数よりフラグが優先されます。`teiten config check teiten.yaml` で有効な設定を確認できます。").In(l))
	fmt.Fprintf(&b, "| %s | %s | %s | %s |\n|---|---|---|---|\n", text.Say("key", "キー").In(l), text.Say("variable", "環境変数").In(l), text.Say("default", "既定値").In(l), text.Say("meaning", "意味").In(l))
	for _, s := range app.Settings() {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", s.Key, s.Variable, code(s.Default), s.Description.In(l))
	}
	return b.String()
}

func code(v string) string {
	if v == "" {
		return ""
	}
	return "`" + v + "`"
}

func measuresReference(a *app.App, l text.Lang) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", text.Say("Measures", "指標").In(l), generated("measures", l))
	fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n|---|---|---|---|---|\n", text.Say("id", "ID").In(l), text.Say("title", "名称").In(l), text.Say("unit", "単位").In(l), text.Say("better", "良い方向").In(l), text.Say("version", "版").In(l))
	for _, d := range a.Measures.All() {
		better := text.Say("higher", "高いほど良い")
		if d.Better == "lower" {
			better = text.Say("lower", "低いほど良い")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %d |\n", d.ID, d.Title.In(l), d.Unit, better.In(l), d.Version)
	}
	return b.String()
}

func kindsReference(r *ascode.Registry, l text.Lang) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", text.Say("Documents as code", "コードとしての文書").In(l), generated("kinds", l))
	for _, k := range r.Kinds() {
		fields, err := r.Fields(k.ID)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "## %s\n\n%s · `apiVersion: %s` · `kind: %s` · `teiten get %s` · /schemas/%s.json\n\n", k.Kind, k.Title.In(l), k.APIVersion, k.Kind, k.ID, k.ID)
		fmt.Fprintf(&b, "| %s | %s | %s |\n|---|---|---|\n", text.Say("field", "フィールド").In(l), text.Say("type", "型").In(l), text.Say("meaning", "意味").In(l))
		for _, f := range fields {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Path, f.Type, f.Doc.In(l))
		}
		b.WriteString("\n")
	}
	return b.String(), nil
}
