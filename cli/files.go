package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// inputs are the files that a command reads documents from.
type inputs struct {
	Paths []string `arg:"" name:"path" help:"Files, folders (every .yaml, .yml and .json below), or - for standard input."`
}

const stdinName = "-"

// read returns every file that the paths name, in a stable order.
func (i inputs) read(s *streams) ([]ascode.File, error) {
	var files []ascode.File
	for _, p := range i.Paths {
		found, err := readPath(p, s.in)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fault.New(fault.NotFound, "cli.no_files", text.Say("there is no .yaml, .yml or .json file", "対象となる .yaml、.yml、.json のファイルがありません")).
			Fix(text.Say("name a file, a folder or -", "ファイルかフォルダー、または - を指定してください"))
	}
	return files, nil
}

func readPath(path string, in io.Reader) ([]ascode.File, error) {
	if path == stdinName {
		b, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return []ascode.File{{Name: "(stdin)", Data: string(b)}}, nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "cli.no_file", text.Say("there is no file or folder %s", "%s というファイルやフォルダーはありません", path))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if !info.IsDir() {
		f, err := readOne(path)
		return []ascode.File{f}, err
	}
	return readFolder(path)
}

func readFolder(dir string) ([]ascode.File, error) {
	var files []ascode.File
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && d.Name()[0] == '.':
			return filepath.SkipDir
		case d.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			return nil
		}
		f, err := readOne(path)
		files = append(files, f)
		return err
	})
	return files, err
}

func readOne(path string) (ascode.File, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return ascode.File{}, fmt.Errorf("read %s: %w", path, err)
	}
	return ascode.File{Name: filepath.ToSlash(path), Data: string(b)}, nil
}
