package httpapi

import (
	"encoding"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// jsonFormat is how answers are written: a list is never null, so that a client
// may rely on what the schema says.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		if v != nil {
			if filled, changed := fill(reflect.ValueOf(v)); changed {
				v = filled.Interface()
			}
		}
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	},
	Unmarshal: json.Unmarshal,
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	listTypes     sync.Map // reflect.Type → bool: may hold a list
)

// fill returns v with every nil list in it replaced by an empty one, and whether
// there was any. What it changes it copies: v itself may be shared.
func fill(v reflect.Value) (reflect.Value, bool) {
	if !v.IsValid() || !holdsLists(v.Type()) {
		return v, false
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v, false
		}
		in, changed := fill(v.Elem())
		if !changed {
			return v, false
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(in)
		return p, true
	case reflect.Interface:
		if v.IsNil() {
			return v, false
		}
		return fill(v.Elem())
	case reflect.Struct:
		return fillStruct(v)
	case reflect.Slice:
		if v.IsNil() {
			return reflect.MakeSlice(v.Type(), 0, 0), true
		}
		return fillSlice(v)
	case reflect.Map:
		return fillMap(v)
	}
	return v, false
}

func fillStruct(v reflect.Value) (reflect.Value, bool) {
	out, copied, t := v, false, v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || omitted(f, v.Field(i)) {
			continue
		}
		in, changed := fill(v.Field(i))
		if !changed {
			continue
		}
		if !copied {
			out, copied = reflect.New(t).Elem(), true
			out.Set(v)
		}
		out.Field(i).Set(in)
	}
	return out, copied
}

func fillSlice(v reflect.Value) (reflect.Value, bool) {
	out, copied := v, false
	for i := range v.Len() {
		in, changed := fill(v.Index(i))
		if !changed {
			continue
		}
		if !copied {
			out, copied = reflect.MakeSlice(v.Type(), v.Len(), v.Len()), true
			reflect.Copy(out, v)
		}
		out.Index(i).Set(in)
	}
	return out, copied
}

func fillMap(v reflect.Value) (reflect.Value, bool) {
	out, copied := v, false
	for iter := v.MapRange(); iter.Next(); {
		in, changed := fill(iter.Value())
		if !changed {
			continue
		}
		if !copied {
			out, copied = reflect.MakeMapWithSize(v.Type(), v.Len()), true
			for all := v.MapRange(); all.Next(); {
				out.SetMapIndex(all.Key(), all.Value())
			}
		}
		out.SetMapIndex(iter.Key(), in)
	}
	return out, copied
}

// omitted reports whether the field is left out anyway when it is empty.
func omitted(f reflect.StructField, v reflect.Value) bool {
	tag := f.Tag.Get("json")
	return tag == "-" || v.IsZero() && strings.Contains(tag, ",omit")
}

// holdsLists reports whether a value of type t may hold a list that
// encoding/json writes itself.
func holdsLists(t reflect.Type) bool {
	if known, ok := listTypes.Load(t); ok {
		return known.(bool)
	}
	listTypes.Store(t, true) // for types that hold themselves
	holds := findLists(t)
	listTypes.Store(t, holds)
	return holds
}

func findLists(t reflect.Type) bool {
	if t.Implements(jsonMarshaler) || t.Implements(textMarshaler) {
		return false
	}
	switch t.Kind() {
	case reflect.Slice:
		return t.Elem().Kind() != reflect.Uint8
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Map:
		return holdsLists(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && holdsLists(f.Type) {
				return true
			}
		}
	}
	return false
}
