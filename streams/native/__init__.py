"""The native core: the plain, frequent case of the fold in C++, called through ctypes; see docs/decisions/0008-native-core.md."""
