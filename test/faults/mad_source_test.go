package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/teiten/teiten/test/program"
)

// mostMemory is what the server may use while its source has gone mad.
const mostMemory = 400 << 20

// residentMemory is how many bytes of a process are in memory now.
func residentMemory(t *testing.T, pid int) int64 {
	t.Helper()
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skipf("needs /proc: %v", err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(body)
	if m == nil {
		t.Fatal("no VmRSS")
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

func TestMadSourceIsContained(t *testing.T) {
	t.Parallel()
	for name, behaves := range map[string]behaviour{"nonsense": nonsense, "endless": endless, "silent": silent} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contained(t, behaves)
		})
	}
}

func contained(t *testing.T, behaves behaviour) {
	data := t.TempDir()
	address := "sqlite:" + filepath.Join(data, "teiten.db")
	source := startSource(t)
	source.behaviour.Store(int32(behaves))
	s := newServer(t, data)
	start(t, s)
	const objectives = 5
	docs := source.dataSource() + promises(objectives, "2d", false)
	if _, err := s.Apply(t.Context(), "base", docs); err != nil {
		t.Fatal(err)
	}
	until(t, 40*time.Second, "the state of the source is shown", func() (bool, error) {
		began := time.Now()
		states, err := program.All[struct {
			Name, Status, LastError string
		}](t.Context(), s, "/api/v1/sources")
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("with the source gone mad an answer took %s", took)
		}
		if used := residentMemory(t, s.PID()); used > mostMemory {
			t.Fatalf("with the source gone mad the server uses %d MB", used>>20)
		}
		for _, x := range states {
			if x.Name == "source" && x.Status != "ok" && x.Status != "unknown" {
				return x.LastError != "", err
			}
		}
		return false, err
	})
	if _, err := s.Apply(t.Context(), set(1), documents(1)); err != nil {
		t.Errorf("with the source gone mad nothing else works: %v", err)
	}
	all, err := statusOf(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range all {
		if o.Watermark != 0 && o.Missing == 0 {
			t.Errorf("%s took minutes for read that nobody answered", name)
		}
	}
	source.behaviour.Store(int32(well))
	source.CloseClientConnections()
	until(t, 90*time.Second, "the source is read when it is well again", func() (bool, error) {
		return finished(t, address, objectives+1), nil
	})
	verify(t, s, address)
	checkLedger(t, address, 2*24*time.Hour)
}
