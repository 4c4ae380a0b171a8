package main

// A value of a document before it has a style: *mapping, list, text, token or nil (nothing at all).
type value any

// text is a string; the writer chooses how it is written.
type text string

// token is a scalar that is written as it stands.
type token string

type list []value

type entry struct {
	key   string
	value value
}

// mapping keeps its keys in order, and may hold one twice.
type mapping struct{ entries []entry }

// dict makes a mapping from keys and values in turn.
func dict(pairs ...any) *mapping {
	made := &mapping{}
	for i := 0; i+1 < len(pairs); i += 2 {
		made.set(pairs[i].(string), pairs[i+1])
	}
	return made
}

// set adds or replaces; plain Go values become values of the document.
func (m *mapping) set(key string, item any) *mapping {
	converted := convert(item)
	for i := range m.entries {
		if m.entries[i].key == key {
			m.entries[i].value = converted
			return m
		}
	}
	m.entries = append(m.entries, entry{key, converted})
	return m
}

// add appends, whether or not the key is there.
func (m *mapping) add(key string, item any) *mapping {
	m.entries = append(m.entries, entry{key, convert(item)})
	return m
}

func (m *mapping) get(key string) value {
	for _, e := range m.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

func (m *mapping) remove(key string) {
	for i, e := range m.entries {
		if e.key == key {
			m.entries = append(m.entries[:i:i], m.entries[i+1:]...)
			return
		}
	}
}

func convert(item any) value {
	switch item := item.(type) {
	case string:
		return text(item)
	case int:
		return token(itoa(item))
	case bool:
		if item {
			return token("true")
		}
		return token("false")
	case []string:
		made := make(list, 0, len(item))
		for _, element := range item {
			made = append(made, text(element))
		}
		return made
	case []value:
		return list(item)
	case []*mapping:
		made := make(list, 0, len(item))
		for _, element := range item {
			made = append(made, element)
		}
		return made
	default:
		return item
	}
}

// copyOf copies mappings and lists, so that the copy can be changed.
func copyOf(item value) value {
	switch item := item.(type) {
	case *mapping:
		copied := &mapping{}
		for _, e := range item.entries {
			copied.entries = append(copied.entries, entry{e.key, copyOf(e.value)})
		}
		return copied
	case list:
		copied := make(list, 0, len(item))
		for _, element := range item {
			copied = append(copied, copyOf(element))
		}
		return copied
	default:
		return item
	}
}
