package app

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Setting is one key of the configuration, as the reference lists it.
type Setting struct {
	Key         string // notify.smtp.address
	Variable    string // TEITEN_NOTIFY_SMTP_ADDRESS
	Default     string
	Description text.Both
	value       reflect.Value
}

// Settings lists every key of the configuration with its default, in the order
// of the file.
func Settings() []Setting {
	c := DefaultConfig()
	return settings(&c)
}

func settings(c *Config) []Setting { return walk(reflect.ValueOf(c).Elem(), "") }

func walk(v reflect.Value, prefix string) []Setting {
	var all []Setting
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() { // what the configuration knows of itself is no setting
			continue
		}
		key := prefix + f.Tag.Get("json")
		if f.Tag.Get("doc") == "" { // a section
			all = append(all, walk(v.Field(i), key+".")...)
			continue
		}
		all = append(all, Setting{
			Key: key, Variable: variable(key), Default: written(v.Field(i)),
			Description: text.Both{EN: f.Tag.Get("doc"), JA: f.Tag.Get("ja")}, value: v.Field(i),
		})
	}
	return all
}

// variable spells a key as an environment variable: baseURL is TEITEN_BASE_URL.
func variable(key string) string {
	var b strings.Builder
	b.WriteString("TEITEN_")
	for i, r := range key {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 && key[i-1] >= 'a' && key[i-1] <= 'z' {
			b.WriteByte('_')
		}
		if r == '.' {
			r = '_'
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

func written(v reflect.Value) string {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		b, err := m.MarshalText()
		if err != nil {
			return ""
		}
		return string(b)
	}
	if v.Kind() == reflect.Slice {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = written(v.Index(i))
		}
		return strings.Join(parts, ",")
	}
	if v.Kind() == reflect.Map {
		return "" // only in the file
	}
	return fmt.Sprint(v.Interface())
}

// overlay sets what the environment names. A variable that begins with TEITEN_
// and is no key is left alone: the command line has variables of its own.
func overlay(c *Config, environ []string) error {
	byVariable := map[string]Setting{}
	for _, s := range settings(c) {
		byVariable[s.Variable] = s
	}
	var faults []*fault.Error
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		s, ok := byVariable[name]
		if !ok {
			continue
		}
		if err := set(s.value, value); err != nil {
			faults = append(faults, fault.New(fault.Invalid, "config.environment",
				text.Say("%s: %q cannot be read", "%s: %q は読めません", name, value)).Fix(s.Description).On(s.Key).Wrap(err))
		}
	}
	return fault.Join(faults)
}

// set reads a value from text; a list is separated by commas.
func set(v reflect.Value, s string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(s))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
		return nil
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		v.SetBool(b)
		return err
	case reflect.Int64:
		n, err := strconv.ParseInt(s, 10, 64)
		v.SetInt(n)
		return err
	case reflect.Slice:
		return setList(v, s)
	}
	return fmt.Errorf("cannot set a %s", v.Type())
}

func setList(v reflect.Value, s string) error {
	list := reflect.MakeSlice(v.Type(), 0, 0)
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		if err := set(item, part); err != nil {
			return err
		}
		list = reflect.Append(list, item)
	}
	v.Set(list)
	return nil
}
