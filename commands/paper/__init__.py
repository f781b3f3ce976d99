"""The experiments of the SmartVM paper (IEEE TPDS 2022, DOI 10.1109/TPDS.2022.3177405), done again."""
