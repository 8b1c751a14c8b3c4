package ascode

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teiten/teiten/kit/text"
)

// draft is the dialect of JSON Schema that the schemas are written in.
const draft = "https://json-schema.org/draft/2020-12/schema"

// Schema returns the JSON Schema of one kind for editors, generated from its Go
// type.
func (r *Registry) Schema(kind string) ([]byte, error) {
	k, err := r.find(kind)
	if err != nil {
		return nil, err
	}
	return k.schema()
}

// AllSchemas returns a JSON Schema that accepts a document of any kind, for
// files that hold several.
func (r *Registry) AllSchemas() ([]byte, error) {
	choices := make([]map[string]string, 0, len(r.kinds))
	for _, k := range r.Kinds() {
		choices = append(choices, map[string]string{"$ref": k.ID + ".json"})
	}
	return json.MarshalIndent(map[string]any{"$schema": draft, "title": "Teiten", "anyOf": choices}, "", "  ")
}

func (k *Kind) schema() ([]byte, error) {
	t := reflect.TypeOf(k.New()).Elem()
	defs := huma.NewMapRegistry("#/$defs/", defName)
	root := defs.Schema(t, false, "")
	for name, s := range defs.Map() {
		if open := defs.TypeFromRef("#/$defs/" + name); open != nil && isOpen(open) {
			s.AdditionalProperties = true
		}
	}
	if isOpen(t) {
		root.AdditionalProperties = true
	}
	root.Title = k.Title.In(text.EN)
	versions := []string{k.APIVersion}
	if k.Upgrade == nil { // others look different before they are upgraded
		versions = append(versions, k.AlsoVersions...)
	}
	limit(root, "apiVersion", versions)
	limit(root, "kind", []string{k.Kind})
	raw, err := json.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", k.Kind, err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, fmt.Errorf("schema of %s: %w", k.Kind, err)
	}
	out["$schema"] = draft
	if len(defs.Map()) > 0 {
		out["$defs"] = defs.Map()
	}
	return json.MarshalIndent(out, "", "  ")
}

// limit allows a field nothing but some values.
func limit(s *huma.Schema, field string, values []string) {
	f := &huma.Schema{Type: huma.TypeString}
	for _, v := range values {
		f.Enum = append(f.Enum, v)
	}
	if s.Properties == nil {
		s.Properties = map[string]*huma.Schema{}
	}
	s.Properties[field] = f
}

// isOpen reports whether a struct keeps fields that it does not know.
func isOpen(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && shapeOf(t).extra != nil
}

func defName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := huma.DefaultSchemaNamer(t, hint)
	if t.PkgPath() == "" {
		return name
	}
	pkg := path.Base(t.PkgPath())
	return strings.ToUpper(pkg[:1]) + pkg[1:] + name
}
