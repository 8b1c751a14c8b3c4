package embedded

import (
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
)

// TestAFullFilesystem fills a small filesystem of its own for real. It needs the
// right to mount one.
func TestAFullFilesystem(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("no small filesystem can be mounted here: %v", err)
	}
	// Later than the store's own clean-up, which runs first.
	defer func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	s, err := Open(t.Context(), Options{Dir: filepath.Join(dir, "store"), MinFree: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Minute).UnixMilli()
	add := func(i int) error {
		return s.Append(t.Context(), []metrics.Series{counter(nil, metrics.Point{T: at + int64(i), V: float64(i)})})
	}
	if err := add(0); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 22<<20), 0o600); err == nil {
		t.Log("the ballast fitted")
	}
	eventually(t, "the store says that the disk is full", func() bool { return s.Check(t.Context()) != nil })
	if f, ok := fault.As(add(1)); !ok || f.Code != "metrics.disk_full" {
		t.Error("a sample is accepted although the disk is full")
	}
	series, samples := history(1, 1, time.Now().Add(-time.Hour))
	if err := s.Import(t.Context(), series, samples, nil); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("import to a full disk: %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	eventually(t, "samples are accepted again", func() bool { return add(2) == nil })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = Open(t.Context(), Options{Dir: filepath.Join(dir, "store"), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if v := value(t, s, "count_over_time(events_total[1h])"); math.IsNaN(v) || v < 2 {
		t.Errorf("%v samples after the disk was full", v)
	}
}
