package ecb

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// cache keeps the last good edition in a file, for the next start.
type cache struct {
	path   string // empty: no cache
	source string // hash of the URL: a cache of another one does not count, and this one's secrets stay out
}

// label is the file's first line, in JSON. The edition's data follow.
type label struct {
	Source string `json:"source"`
	Sum    string `json:"sha256"`
	version
}

var (
	errNoCache    = errors.New("no cache")
	errOtherCache = errors.New("it is of another FEED_URL")
	errDamaged    = errors.New("it is damaged, or no cache")
)

func newCache(path string, s Source) cache {
	u := s.Reveal()
	return cache{path, sum(u.String())}
}

func sum(s string) string {
	hash := sha256.Sum256([]byte(s))
	return hex.EncodeToString(hash[:])
}

// read returns the edition kept. It is errNoCache where there is none yet.
func (c cache) read() (edition, error) {
	if c.path == "" {
		return edition{}, errNoCache
	}
	text, err := readFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return edition{}, errNoCache
	}
	if err != nil {
		return edition{}, err
	}
	line, data, _ := strings.Cut(text, "\n")
	var l label
	switch err := json.Unmarshal([]byte(line), &l); {
	case err != nil || l.Sum != sum(data):
		return edition{}, errDamaged
	case l.Source != c.source:
		return edition{}, errOtherCache
	}
	return edition{data, l.version}, nil
}

// write keeps an edition, or keeps the one before.
func (c cache) write(e edition) error {
	if c.path == "" {
		return nil
	}
	line, err := json.Marshal(label{c.source, sum(e.data), e.version})
	if err != nil {
		return err
	}
	c.sweep()
	return cause(replace(c.path, string(line)+"\n"+e.data))
}

// abandoned is how old a temporary file is that nobody writes to any more.
const abandoned = time.Hour

// sweep removes what interrupted writes have left behind.
func (c cache) sweep() {
	dir := filepath.Dir(c.path)
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		number, ours := strings.CutPrefix(entry.Name(), temporary(c.path))
		info, err := entry.Info()
		if ours && strings.Trim(number, "0123456789") == "" && err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(filepath.Join(dir, entry.Name())) // else the next write tries again
		}
	}
}

// temporary is what the name of a file that is being written begins with; a number follows.
func temporary(path string) string { return "." + filepath.Base(path) + "-" }

// replace writes a file whole or not at all, whenever the process or the machine ends. Only its owner may read it.
func replace(path, content string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, temporary(path)+"*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	err = errors.Join(err, f.Sync(), f.Close()) // on disk before it gets its name
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	syncDir(dir)
	return nil
}

// syncDir puts the new name on disk. Where that cannot be done the next start finds the edition before: no harm.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
