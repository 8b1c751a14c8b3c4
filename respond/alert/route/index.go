package route

import "slices"

// index finds which of many lists of matchers may match labels without asking
// each of them: most ask for exactly one value of some label.
type index struct {
	by   map[string]map[string][]int // name, value: places in the list
	rest []int                       // those that ask for no value
}

// indexOf is the index of n lists.
func indexOf(n int, matchers func(i int) Matchers) *index {
	x := &index{by: map[string]map[string][]int{}}
	for i := range n {
		name, value, ok := matchers(i).key()
		if !ok {
			x.rest = append(x.rest, i)
			continue
		}
		if x.by[name] == nil {
			x.by[name] = map[string][]int{}
		}
		x.by[name][value] = append(x.by[name][value], i)
	}
	return x
}

// of lists, in order, the places that may match.
func (x *index) of(l Labels) []int {
	found := x.rest
	copied := false
	for name, values := range x.by {
		more := values[l[name]]
		if len(more) == 0 {
			continue
		}
		if !copied {
			found, copied = append(make([]int, 0, len(found)+len(more)), found...), true
		}
		found = append(found, more...)
	}
	if copied {
		slices.Sort(found)
	}
	return found
}
