package faults_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/teiten/teiten/test/program"
)

// smallDisk mounts a disk of a few megabytes, and returns how to fill it and how
// to empty it again.
func smallDisk(t *testing.T) (dir string, fill, empty func()) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("only root may mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	fill = func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, size := range []int{1 << 20, 4 << 10, 1} {
			for block := make([]byte, size); ; {
				if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	empty = func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
	return dir, fill, empty
}

func TestFullDiskRefusesClearlyAndRecovers(t *testing.T) {
	t.Parallel()
	dir, fill, empty := smallDisk(t)
	data := filepath.Join(dir, "data")
	s := newServer(t, data)
	refusesAndRecovers(t, s, fill, empty)
	verify(t, s, "sqlite:"+filepath.Join(data, "teiten.db"))
}

// limitFileSize changes how large a file the process may write.
func limitFileSize(t *testing.T, pid int, limit string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "prlimit", "--pid", strconv.Itoa(pid), "--fsize="+limit+":unlimited").CombinedOutput(); err != nil {
		t.Fatalf("prlimit: %v: %s", err, out)
	}
}

func TestFileThatMayNotGrowRefusesClearlyAndRecovers(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("prlimit"); err != nil {
		t.Skip("prlimit is not installed")
	}
	data := t.TempDir()
	s := newServer(t, data)
	refusesAndRecovers(t, s,
		func() { limitFileSize(t, s.PID(), "65536") },
		func() { limitFileSize(t, s.PID(), "unlimited") })
	verify(t, s, "sqlite:"+filepath.Join(data, "teiten.db"))
}

// refusesAndRecovers applies until the disk is full, looks at how that is told,
// makes room, and counts what is there.
func refusesAndRecovers(t *testing.T, s *program.Server, fill, empty func()) {
	t.Helper()
	start(t, s)
	if _, err := s.Apply(t.Context(), "base", startSource(t).dataSource()); err != nil {
		t.Fatal(err)
	}
	acknowledged, asked := map[int]bool{}, 0
	apply := func() error {
		_, err := s.Apply(t.Context(), set(asked), documents(asked))
		acknowledged[asked] = err == nil
		asked++
		return err
	}
	for range 3 {
		if err := apply(); err != nil {
			t.Fatal(err)
		}
	}
	fill()
	until(t, 30*time.Second, "an apply is refused", func() (bool, error) {
		err := apply()
		var p *program.AnswerError
		if err != nil && !errors.As(err, &p) {
			t.Fatalf("the server is gone: %v", err)
		}
		return p != nil && p.Status == 503 && p.RetryAfter != "" && strings.Contains(p.Body, `"database.full"`), err
	})
	var me struct{ Name string }
	if err := s.Get(t.Context(), "/api/v1/me", &me); err != nil || me.Name == "" {
		t.Errorf("reading while the disk is full: %v", err)
	}
	if _, err := program.All[entry](t.Context(), s, "/api/v1/journal?kind=ascode.applied"); err != nil {
		t.Errorf("reading the journal while the disk is full: %v", err)
	}
	empty()
	until(t, 30*time.Second, "an apply is accepted again", func() (bool, error) { err := apply(); return err == nil, err })
	checkApplied(t, s, acknowledged, asked)
}
