package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// State decides everything about a shop: what it must remember to be the same
// shop after a restart.
type State struct {
	// Seed chooses the noise, the deployments and the small faults.
	Seed uint64 `json:"seed"`
	// Start is when the demonstration was made. The large events of the past
	// (an incident, a slow release, a lost hour of monitoring) are placed
	// relative to it, and the counters begin at zero 35 days (Past) before it.
	Start time.Time `json:"start"`
	// Faults are those ordered so far.
	Faults []Fault `json:"faults"`
}

// LoadState reads a state file. found is false when there is none.
func LoadState(path string) (state State, found bool, err error) {
	body, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return State{}, false, nil
	case err != nil:
		return State{}, false, fmt.Errorf("read the shop's state: %w", err)
	}
	if err := json.Unmarshal(body, &state); err != nil {
		return State{}, false, fmt.Errorf("read the shop's state in %s: %w", path, err)
	}
	return state, true, nil
}

// Save writes the state file so that it is either the old one or the new one,
// whatever happens meanwhile.
func (s State) Save(path string) error {
	body, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the shop's state: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".shop-*")
	if err != nil {
		return fmt.Errorf("save the shop's state: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone already when all went well
	_, err = file.Write(append(body, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("save the shop's state: %w", err)
	}
	return nil
}
