// Package docs_test keeps the documents true to the repository: links lead
// somewhere, and lists that must be complete are.
package docs_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = ".."

// foreign are folders whose documents are not ours.
var foreign = []string{"node_modules", ".git", ".tools", "bin", "data", "dist", "testdata"}

// documents are the paths of all our Markdown files, from the root.
func documents(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains(foreign, d.Name()) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(file, ".md") {
			rel, err := filepath.Rel(root, file)
			found = append(found, filepath.ToSlash(rel))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

var (
	fence   = regexp.MustCompile("(?ms)^```.*?^```")
	link    = regexp.MustCompile(`\]\(([^)\s]+)(?:\s+"[^"]*")?\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
	notWord = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
)

// anchors are the names by which a document's headings can be linked to, as
// GitHub makes them.
func anchors(body string) []string {
	var names []string
	for _, h := range heading.FindAllStringSubmatch(fence.ReplaceAllString(body, ""), -1) {
		name := notWord.ReplaceAllString(strings.ToLower(strings.TrimSpace(h[1])), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

// broken tells why a link in a document leads nowhere, or "".
func broken(t *testing.T, document, target string) string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		return "is not a link"
	}
	if u.Scheme != "" {
		return ""
	}
	to := document
	if u.Path != "" {
		to = path.Join(path.Dir(document), u.Path)
	}
	if to == ".." || strings.HasPrefix(to, "../") {
		return "leads out of the repository"
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(to))); err != nil {
		return "leads to a file that is not there"
	}
	if u.Fragment != "" && strings.HasSuffix(to, ".md") && !slices.Contains(anchors(read(t, to)), u.Fragment) {
		return "leads to a heading that is not there"
	}
	return ""
}

func TestEveryRelativeLinkLeadsSomewhere(t *testing.T) {
	links := 0
	for _, document := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(read(t, document), ""), -1) {
			links++
			if why := broken(t, document, m[1]); why != "" {
				t.Errorf("%s: the link to %s %s", document, m[1], why)
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links found: the search is broken", links)
	}
	for _, target := range []string{"no-such-file.md", "README.md#no-such-heading", "../outside.md"} {
		if broken(t, "README.md", target) == "" {
			t.Errorf("a link to %s passed", target)
		}
	}
}

var require = regexp.MustCompile(`(?m)^\s*(?:require )?([a-z0-9.\-]+\.[a-z]+/\S+) v\S+$`)

func TestEveryDirectDependencyHasItsReason(t *testing.T) {
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]{8,} \\| [^|]{3,} \\|$").FindAllStringSubmatch(read(t, "docs/dependencies.md"), -1) {
		listed[m[1]] = true
	}
	used := map[string]bool{}
	for _, m := range require.FindAllStringSubmatch(read(t, "go.mod"), -1) { // a line that ends in "// indirect" does not match
		used[m[1]] = true
	}
	for _, file := range []string{"web/package.json", "test/browser/package.json"} {
		var manifest struct{ Dependencies, DevDependencies map[string]string }
		if err := json.Unmarshal([]byte(read(t, file)), &manifest); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for name := range manifest.Dependencies {
			used[name] = true
		}
		for name := range manifest.DevDependencies {
			used[name] = true
		}
	}
	if len(used) < 20 {
		t.Fatalf("only %d dependencies found: the search is broken", len(used))
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if !listed[name] {
			t.Errorf("docs/dependencies.md has no line with a reason for %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if !used[name] {
			t.Errorf("docs/dependencies.md lists %s, which is not a direct dependency", name)
		}
	}
}

func TestEveryDecisionIsListed(t *testing.T) {
	list := read(t, "docs/adr/README.md")
	files, err := filepath.Glob("adr/[0-9]*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no decisions: %v", err)
	}
	for i, file := range files {
		title, _, _ := strings.Cut(read(t, "docs/"+filepath.ToSlash(file)), "\n")
		_, title, ok := strings.Cut(title, ". ")
		name := filepath.Base(file)
		if !ok || !strings.Contains(list, "["+title+"]("+name+")") {
			t.Errorf("docs/adr/README.md does not list %s with its title", name)
		}
		if want := i + 1; !strings.HasPrefix(name, fmt.Sprintf("%04d-", want)) {
			t.Errorf("%s is out of sequence: decision %d is missing or there twice", name, want)
		}
	}
}

// forBuilders are documents that only those who change the program read; they
// are in English. All others exist in both languages.
var forBuilders = []string{"CONTRIBUTING.md", "CHANGELOG.md", "docs/dependencies.md", "docs/adr/"}

func TestWhatUsersReadExistsInBothLanguages(t *testing.T) {
	all := documents(t)
	for _, document := range all {
		inRoot, inDocs := !strings.Contains(document, "/"), strings.HasPrefix(document, "docs/")
		if !inRoot && !inDocs || slices.ContainsFunc(forBuilders, func(p string) bool { return strings.HasPrefix(document, p) }) {
			continue
		}
		twin := strings.TrimSuffix(document, ".md") + ".ja.md"
		if base, japanese := strings.CutSuffix(document, ".ja.md"); japanese {
			twin = base + ".md"
		}
		if !slices.Contains(all, twin) {
			t.Errorf("%s has no twin %s", document, twin)
			continue
		}
		if !strings.Contains(read(t, document), "("+path.Base(twin)+")") {
			t.Errorf("%s does not link to %s", document, twin)
		}
	}
}
