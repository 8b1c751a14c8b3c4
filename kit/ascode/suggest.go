package ascode

import (
	"slices"
	"strings"

	"github.com/teiten/teiten/kit/text"
)

// oneOf is the remedy for a word that is none of those allowed: the nearest one
// where one is near, and all of them where there are few.
func oneOf(got string, allowed []string) text.Both {
	list := strings.Join(allowed, ", ")
	if near := nearest(got, allowed); near != "" {
		if len(allowed) > 12 {
			return text.Say("did you mean %q?", "%q の間違いではありませんか", near)
		}
		return text.Say("did you mean %q? Allowed here: %s", "%q の間違いではありませんか。使えるのは次のとおりです: %s", near, list)
	}
	if len(allowed) == 0 {
		return text.Say("remove it", "削除してください")
	}
	return text.Say("use one of: %s", "次のいずれかにしてください: %s", list)
}

// OneOf is the remedy for a word that is none of those allowed. It names the
// nearest allowed word where one is near.
func OneOf(got string, allowed ...string) text.Both { return oneOf(got, allowed) }

// nearest returns the candidate that differs from got by the fewest edits, and
// "" when none is near enough to have been meant.
func nearest(got string, candidates []string) string {
	low := strings.ToLower(got)
	if len(low) > 64 {
		return ""
	}
	best, bestDistance := "", 1+max(1, min(3, len(low)/3))
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		d := distance(low, strings.ToLower(c))
		if d == 0 && c == got {
			continue
		}
		if d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance counts insertions, deletions, substitutions and swaps of neighbours
// that turn a into b (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	two, one, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(one[j]+1, row[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], two[j-2]+1)
			}
		}
		two, one, row = one, row, two
	}
	return one[len(t)]
}

// Nearest returns the candidate that was probably meant by got, and "" when none
// is near enough.
func Nearest(got string, candidates []string) string { return nearest(got, candidates) }
