package ascode

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// encode turns an object into the tree that decode reads back: fields in the
// order of their declaration, maps sorted, what is null left out.
func encode(v any) (*yaml.Node, error) {
	n, err := encodeValue(reflect.ValueOf(v))
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return n, nil
}

func scalarNode(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

func encodeValue(v reflect.Value) (*yaml.Node, error) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return scalarNode("!!null", "null"), nil
		}
		if n, ok, err := encodeCustom(v); ok {
			return n, err
		}
		v = v.Elem()
	}
	if n, ok, err := encodeCustom(v); ok {
		return n, err
	}
	switch {
	case v.Kind() == reflect.Struct:
		return encodeStruct(v)
	case v.Kind() == reflect.Map:
		return encodeMap(v)
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for i := range v.Len() {
			item, err := encodeValue(v.Index(i))
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, item)
		}
		return n, nil
	case v.Kind() == reflect.String:
		return scalarNode("!!str", v.String()), nil
	case v.Kind() == reflect.Bool:
		return scalarNode("!!bool", strconv.FormatBool(v.Bool())), nil
	case v.CanInt():
		return scalarNode("!!int", strconv.FormatInt(v.Int(), 10)), nil
	case v.CanUint():
		return scalarNode("!!int", strconv.FormatUint(v.Uint(), 10)), nil
	case v.CanFloat():
		return floatNode(v.Float())
	}
	return nil, fmt.Errorf("type %s cannot be written", v.Type())
}

func floatNode(f float64) (*yaml.Node, error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	return scalarNode(numberTag(string(raw)), string(raw)), nil
}

func numberTag(s string) string {
	if strings.ContainsAny(s, ".eE") {
		return "!!float"
	}
	return "!!int"
}

// encodeCustom lets a type that reads itself write itself.
func encodeCustom(v reflect.Value) (*yaml.Node, bool, error) {
	if !v.CanInterface() {
		return nil, false, nil
	}
	switch x := v.Interface().(type) {
	case json.Marshaler:
		raw, err := x.MarshalJSON()
		if err != nil {
			return nil, true, err
		}
		n, err := jsonNode(string(raw))
		return n, true, err
	case encoding.TextMarshaler:
		raw, err := x.MarshalText()
		return scalarNode("!!str", string(raw)), true, err
	}
	return nil, false, nil
}

func encodeStruct(v reflect.Value) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	s := shapeOf(v.Type())
	for _, name := range s.names {
		f := v.FieldByIndex(s.fields[name])
		if isNil(f) || s.omit[name] && isEmpty(f) {
			continue
		}
		item, err := encodeValue(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if !isNull(item) {
			n.Content = append(n.Content, scalarNode("!!str", name), item)
		}
	}
	if s.extra != nil {
		extra, err := encodeMap(v.FieldByIndex(s.extra))
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, extra.Content...)
	}
	return n, nil
}

func encodeMap(v reflect.Value) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		item, err := encodeValue(v.MapIndex(key))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		if !isNull(item) {
			n.Content = append(n.Content, scalarNode("!!str", key.String()), item)
		}
	}
	return n, nil
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		return v.IsNil()
	}
	return false
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0
	}
	return v.IsZero()
}

// writeJSON writes a tree as compact JSON, fields in the tree's order.
func writeJSON(n *yaml.Node) []byte {
	var b bytes.Buffer
	appendJSON(&b, n)
	return b.Bytes()
}

func appendJSON(b *bytes.Buffer, n *yaml.Node) {
	switch {
	case n.Kind == yaml.MappingNode:
		b.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b.WriteByte(',')
			}
			appendString(b, n.Content[i].Value)
			b.WriteByte(':')
			appendJSON(b, n.Content[i+1])
		}
		b.WriteByte('}')
	case n.Kind == yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			appendJSON(b, item)
		}
		b.WriteByte(']')
	case n.Tag == "!!str":
		appendString(b, n.Value)
	default:
		b.WriteString(n.Value)
	}
}

func appendString(b *bytes.Buffer, s string) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	b.Truncate(b.Len() - 1)
}

// jsonNode reads JSON that this program wrote.
func jsonNode(data string) (*yaml.Node, error) {
	j := jsonReader{dec: json.NewDecoder(strings.NewReader(data)), data: data, line: 1}
	j.dec.UseNumber()
	return j.value(0)
}

// writeYAML writes trees as one YAML file, a document each.
func writeYAML(roots []*yaml.Node) (string, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	for _, n := range roots {
		if err := enc.Encode(pretty(n)); err != nil {
			return "", fmt.Errorf("write YAML: %w", err)
		}
	}
	if err := enc.Close(); err != nil {
		return "", fmt.Errorf("write YAML: %w", err)
	}
	return b.String(), nil
}

// pretty returns the tree without positions, and with texts of several lines as
// blocks.
func pretty(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" && strings.Contains(n.Value, "\n") {
		out.Style = yaml.LiteralStyle
	}
	for _, c := range n.Content {
		out.Content = append(out.Content, pretty(c))
	}
	return out
}
