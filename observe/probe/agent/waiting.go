package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/teiten/teiten/observe/probe/runner"
)

const (
	mostWaiting = 50_000 // results; at one a minute for each of ten probes, three days
	mostLine    = 1 << 20
	file        = "results.jsonl"
)

// waiting holds results until they are delivered: in memory, and in a file to
// which each is appended, so that neither the end of the program nor that of the
// machine loses what was found.
type waiting struct {
	mu    sync.Mutex
	all   []runner.Result
	path  string // "" without a file
	out   *os.File
	done  int // of all, delivered and still in the file
	lost  int // given up for want of room
	stale bool
}

// openWaiting reads what an earlier run left. A last line that was cut short is
// passed over.
func openWaiting(folder string) (*waiting, error) {
	w := &waiting{}
	if folder == "" {
		return w, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the agent's folder: %w", err)
	}
	w.path = filepath.Join(folder, file)
	old, err := os.ReadFile(w.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the results that wait: %w", err)
	}
	w.all = readResults(old)
	w.stale = true
	return w, w.flush()
}

// readResults reads one result from each line that holds one.
func readResults(data []byte) []runner.Result {
	var all []runner.Result
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, mostLine)
	for lines.Scan() {
		var r runner.Result
		if json.Unmarshal(lines.Bytes(), &r) == nil && r.Probe != "" {
			all = append(all, r)
		}
	}
	return all[max(0, len(all)-mostWaiting):]
}

// put adds a result. Where there is no room the oldest is given up: it is nearest
// to the age at which the server takes none.
func (w *waiting) put(r runner.Result) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, r)
	if len(w.all) > mostWaiting {
		w.all = w.all[1:]
		w.lost++
		w.done++
	}
	if w.out == nil {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.out.Write(append(line, '\n'))
	return err
}

// oldest returns up to n results without removing them.
func (w *waiting) oldest(n int) []runner.Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]runner.Result(nil), w.all[:min(n, len(w.all))]...)
}

// delivered removes the n oldest. The file follows when all are gone, or when it
// has grown to more than twice what it should hold.
func (w *waiting) delivered(n int) error {
	w.mu.Lock()
	w.all = append([]runner.Result(nil), w.all[min(n, len(w.all)):]...)
	w.done += n
	w.stale = w.stale || w.done > 0 && (len(w.all) == 0 || w.done > len(w.all))
	stale := w.stale
	w.mu.Unlock()
	if !stale {
		return nil
	}
	return w.flush()
}

// flush brings the file in line with what waits: a new one takes the place of
// the old in one step.
func (w *waiting) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.path == "" || !w.stale {
		return nil
	}
	var body bytes.Buffer
	for _, r := range w.all {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		body.Write(append(line, '\n'))
	}
	fresh := w.path + ".new"
	if err := os.WriteFile(fresh, body.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the results that wait: %w", err)
	}
	if w.out != nil {
		_ = w.out.Close() // its place is taken
	}
	if err := os.Rename(fresh, w.path); err != nil {
		return fmt.Errorf("write the results that wait: %w", err)
	}
	out, err := os.OpenFile(w.path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the results that wait: %w", err)
	}
	w.out, w.done, w.stale = out, 0, false
	return nil
}

func (w *waiting) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.all)
}

// takeLost returns how many were given up since it was last asked.
func (w *waiting) takeLost() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.lost
	w.lost = 0
	return n
}
