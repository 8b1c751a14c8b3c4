package ascode

import (
	"encoding"
	"reflect"
	"strings"

	"github.com/teiten/teiten/kit/text"
)

// Field is one field of a kind, as a reference lists it. Path names it from the
// root, with [] behind a list and {} behind a mapping.
type Field struct {
	Path string
	Type string
	Doc  text.Both
}

// Fields lists the fields of a kind in the order of its Go type, with what their
// doc tags (and ja tags, for Japanese) say of them.
func (r *Registry) Fields(kind string) ([]Field, error) {
	k, err := r.find(kind)
	if err != nil {
		return nil, err
	}
	return fieldsOf(reflect.TypeOf(k.New()), "", nil), nil
}

// shared says what a field means that every kind has, where the kind says
// nothing of it.
var shared = map[string]text.Both{
	"apiVersion":  text.Say("Which version of the kind this is.", "種類のバージョン。"),
	"kind":        text.Say("What is described.", "文書の種類。"),
	"metadata":    text.Say("What it is called.", "名前などの情報。"),
	"spec":        text.Say("The description itself.", "本体。"),
	"name":        text.Say("How it is referred to: letters, digits, '-', '_' and '.'.", "参照に使う名前(英数字と -、_、.)。"),
	"namespace":   text.Say("Where the name counts; default when absent.", "名前空間。省略時は default。"),
	"displayName": text.Say("What people call it.", "表示名。"),
	"title":       text.Say("What people call it.", "表示名。"),
	"description": text.Say("What it is, for people.", "説明。"),
	"labels":      text.Say("Keys and values of one's own.", "任意のキーと値。"),
	"annotations": text.Say("Keys and values that tools read.", "ツールが読むキーと値。"),
	"username":    text.Say("The user name.", "ユーザー名。"),
}

// meaning is what a field's tags say, or what the field means everywhere.
func meaning(name string, tag reflect.StructTag) text.Both {
	said := text.Both{EN: tag.Get("doc"), JA: tag.Get("ja")}
	if said.EN == "" {
		return shared[name]
	}
	return said
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// fieldsOf walks a type; within holds the types around it, so that one that
// contains itself ends the walk.
func fieldsOf(t reflect.Type, path string, within []reflect.Type) []Field {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(textType) {
		return nil
	}
	for _, outer := range within {
		if outer == t {
			return nil
		}
	}
	within = append(within, t)
	var all []Field
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			all = append(all, fieldsOf(f.Type, path, within)...)
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		inner, suffix, typ := contentOf(f.Type)
		all = append(all, Field{Path: path + name, Type: typ, Doc: meaning(name, f.Tag)})
		all = append(all, fieldsOf(inner, path+name+suffix+".", within)...)
	}
	return all
}

// contentOf says what a field holds: the type to walk on with, how its path goes
// on, and what people call it.
func contentOf(t reflect.Type) (inner reflect.Type, suffix, typ string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(textType) {
		return t, "", "string"
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		inner, suffix, typ = contentOf(t.Elem())
		return inner, "[]" + suffix, "list of " + typ
	case reflect.Map:
		inner, suffix, typ = contentOf(t.Elem())
		return inner, "{}" + suffix, "mapping to " + typ
	case reflect.Struct:
		return t, "", "object"
	case reflect.String:
		return t, "", "string"
	case reflect.Bool:
		return t, "", "boolean"
	case reflect.Interface:
		return t, "", "any"
	case reflect.Float32, reflect.Float64:
		return t, "", "number"
	default:
		return t, "", "integer"
	}
}
