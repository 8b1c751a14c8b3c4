package ascode

import (
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// decode fills the struct that into points to from root, strictly: an unknown
// field, a wrong type, and a number that does not fit are faults. A null counts
// as absent. A struct may hold one field of type map[string]any tagged
// `json:"-" ascode:"extra"`: unknown fields that resemble no known one are kept
// there, for formats that invite extension.
func decode(d *Document, root *yaml.Node, into any) []*fault.Error {
	dec := decoder{doc: d}
	dec.value(root, reflect.ValueOf(into).Elem())
	return dec.faults
}

type decoder struct {
	doc    *Document
	path   []any
	faults []*fault.Error
}

func (dec *decoder) wrong(n *yaml.Node, code string, what, remedy text.Both) {
	if len(dec.faults) > maxFaults {
		return
	}
	at := fault.Position{File: dec.doc.Source.File, Line: n.Line, Column: n.Column}
	dec.faults = append(dec.faults, fault.New(fault.Invalid, code, what).Fix(remedy).At(at).On(pathString(dec.path)))
}

// in runs f with one more step on the path.
func (dec *decoder) in(step any, f func()) {
	dec.path = append(dec.path, step)
	f()
	dec.path = dec.path[:len(dec.path)-1]
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func (dec *decoder) value(n *yaml.Node, v reflect.Value) {
	if isNull(n) {
		return
	}
	if v.Kind() != reflect.Pointer && v.CanAddr() {
		if dec.custom(n, v.Addr()) {
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		dec.value(n, v.Elem())
	case reflect.Struct:
		dec.structure(n, v)
	case reflect.Map:
		dec.mapping(n, v)
	case reflect.Slice:
		dec.list(n, v)
	case reflect.Interface:
		if x := dec.anything(n); x != nil {
			v.Set(reflect.ValueOf(x))
		}
	default:
		dec.scalar(n, v)
	}
}

// custom lets a type read itself.
func (dec *decoder) custom(n *yaml.Node, p reflect.Value) bool {
	var err error
	switch {
	case p.Type().Implements(jsonUnmarshaler):
		raw, bad := json.Marshal(dec.anything(n))
		if bad != nil {
			return true // anything has said why
		}
		err = p.Interface().(json.Unmarshaler).UnmarshalJSON(raw)
	case p.Type().Implements(textUnmarshaler):
		if n.Kind != yaml.ScalarNode {
			dec.wrongType(n, text.Say("text", "文字列"))
			return true
		}
		err = p.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Value))
	default:
		return false
	}
	if err == nil {
		return true
	}
	if f, ok := fault.As(err); ok {
		dec.wrong(n, f.Code, f.What, f.Remedy)
		return true
	}
	dec.wrong(n, "ascode.value", text.Say("%q cannot be read: %s", "%q を読み取れません: %s", shorten(n.Value, 80), err.Error()),
		text.Say("correct the value", "値を直してください"))
	return true
}

func (dec *decoder) structure(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		dec.wrongType(n, text.Say("a mapping of fields", "フィールドの並び(マッピング)"))
		return
	}
	shape := shapeOf(v.Type())
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		dec.in(key.Value, func() {
			if index, ok := shape.fields[key.Value]; ok {
				dec.value(item, v.FieldByIndex(index))
				return
			}
			dec.unknown(key, item, v, shape)
		})
	}
}

// unknown keeps or refuses a field that the struct does not have.
func (dec *decoder) unknown(key, item *yaml.Node, v reflect.Value, s *shape) {
	if s.extra != nil && nearest(key.Value, s.names) == "" {
		extra := v.FieldByIndex(s.extra)
		if extra.IsNil() {
			extra.Set(reflect.MakeMap(extra.Type()))
		}
		if x := dec.anything(item); x != nil {
			extra.SetMapIndex(reflect.ValueOf(key.Value), reflect.ValueOf(x))
		}
		return
	}
	dec.wrong(key, "ascode.field_unknown",
		text.Say("unknown field %q", "フィールド %q はありません", shorten(key.Value, 80)), oneOf(key.Value, s.names))
}

func (dec *decoder) mapping(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		dec.wrongType(n, text.Say("a mapping", "マッピング"))
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.Content)/2))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		dec.in(key.Value, func() {
			x := reflect.New(v.Type().Elem()).Elem()
			dec.value(item, x)
			v.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), x)
		})
	}
}

func (dec *decoder) list(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		dec.wrongType(n, text.Say("a list", "リスト"))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		dec.in(i, func() {
			if isNull(item) {
				dec.wrong(item, "ascode.empty_item", text.Say("item %d of the list is empty", "リストの%d番目の項目が空です", i+1),
					text.Say("write the item or remove the dash", "項目を書くか、「-」を消してください"))
				return
			}
			dec.value(item, v.Index(i))
		})
	}
}

func (dec *decoder) scalar(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		dec.wrongType(n, wanted(v.Kind()))
		return
	}
	tag := n.ShortTag()
	switch k := v.Kind(); {
	case k == reflect.String:
		if tag == "!!str" || tag == "!!timestamp" {
			v.SetString(n.Value)
			return
		}
		dec.wrong(n, "ascode.type", text.Say("%s should be text and reads as %s", "%s は文字列のはずですが、%sとして読まれます", n.Value, tagName(tag)),
			text.Say("put it in quotes: %q", "引用符で囲んでください: %q", n.Value))
	case k == reflect.Bool:
		if b, err := strconv.ParseBool(strings.ToLower(n.Value)); err == nil && tag == "!!bool" {
			v.SetBool(b)
			return
		}
		dec.wrongType(n, wanted(k))
	case v.CanInt() || v.CanUint():
		dec.integer(n, v)
	case v.CanFloat():
		var f float64
		if (tag != "!!float" && tag != "!!int") || n.Decode(&f) != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			dec.wrongType(n, wanted(k))
			return
		}
		v.SetFloat(f)
	default:
		panic("ascode: a document has a field of type " + v.Type().String())
	}
}

func (dec *decoder) integer(n *yaml.Node, v reflect.Value) {
	if n.ShortTag() != "!!int" {
		dec.wrongType(n, wanted(v.Kind()))
		return
	}
	if v.CanInt() {
		var i int64
		if n.Decode(&i) == nil && !v.OverflowInt(i) {
			v.SetInt(i)
			return
		}
	} else {
		var u uint64
		if n.Decode(&u) == nil && !v.OverflowUint(u) {
			v.SetUint(u)
			return
		}
	}
	dec.wrong(n, "ascode.number_range", text.Say("%s is out of range", "%s は範囲外です", shorten(n.Value, 80)),
		text.Say("use a number that fits", "収まる数にしてください"))
}

// anything reads a value of any type as encoding/json would have, apart from
// whole numbers, which stay whole.
func (dec *decoder) anything(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = dec.anything(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = dec.anything(item)
		}
		return list
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		var i int64
		if n.Decode(&i) == nil {
			return i
		}
		return dec.number(n)
	case "!!float":
		return dec.number(n)
	}
	return n.Value
}

func (dec *decoder) number(n *yaml.Node) any {
	var f float64
	if n.Decode(&f) != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		dec.wrongType(n, wanted(reflect.Float64))
		return float64(0)
	}
	return f
}

func (dec *decoder) wrongType(n *yaml.Node, want text.Both) {
	got := text.Say("a list", "リスト")
	switch n.Kind {
	case yaml.MappingNode:
		got = text.Say("a mapping", "マッピング")
	case yaml.ScalarNode:
		got = text.Say("%s %q", "%s %q", tagName(n.ShortTag()), shorten(n.Value, 80))
	}
	field := pathString(dec.path)
	if field == "" {
		field = dec.doc.Kind
	}
	dec.wrong(n, "ascode.type",
		text.Say("%s should be %s and is %s", "%s は%sのはずですが、%sになっています", field, want, got),
		text.Say("write %s here", "ここには%sを書いてください", want))
}

func wanted(k reflect.Kind) text.Both {
	switch k {
	case reflect.String:
		return text.Say("text", "文字列")
	case reflect.Bool:
		return text.Say("true or false", "true または false")
	case reflect.Float32, reflect.Float64:
		return text.Say("a number", "数値")
	default:
		return text.Say("a whole number", "整数")
	}
}

func tagName(tag string) text.Both {
	switch tag {
	case "!!int", "!!float":
		return text.Say("the number", "数値")
	case "!!bool":
		return text.Say("the truth value", "真偽値")
	case "!!null":
		return text.Say("nothing", "空の値")
	case "!!timestamp":
		return text.Say("the date", "日付")
	}
	return text.Say("the text", "文字列")
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// shape is what the fields of a struct are called.
type shape struct {
	names  []string // in the order of declaration
	fields map[string][]int
	omit   map[string]bool // left out when empty
	extra  []int
}

var shapes sync.Map // reflect.Type → *shape

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := &shape{fields: map[string][]int{}, omit: map[string]bool{}}
	s.collect(t, nil)
	shapes.Store(t, s)
	return s
}

func (s *shape) collect(t reflect.Type, at []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(slices.Clone(at), i)
		if f.Tag.Get("ascode") == "extra" {
			s.extra = index
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			s.collect(f.Type, index)
		case f.IsExported():
			if name == "" {
				name = f.Name
			}
			s.names = append(s.names, name)
			s.fields[name] = index
			s.omit[name] = strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		}
	}
}
