from __future__ import annotations

from pathlib import Path

import pytest

from tools.labelled import Labels, score

ROWS = """Id,FileID,Domain,RepoName,FilePath,LineStart,LineEnd,GroundTruth,ValueStart,ValueEnd,CryptographyKey,PredefinedPattern,Category
1,f,G,aaaa0000,data/aaaa0000/a.py,2,2,T,0,9,,,Password
2,f,G,aaaa0000,data/aaaa0000/a.py,2,2,F,,,,,Key
3,f,G,aaaa0000,data/aaaa0000/a.py,5,7,T,,,,,PEM Private Key
4,f,G,aaaa0000,data/aaaa0000/a.py,9,9,X,,,,,Token
5,f,G,aaaa0000,data/aaaa0000/a.py,11,11,T,,,,,UUID
"""
OTHER = """Id,FileID,Domain,RepoName,FilePath,LineStart,LineEnd,GroundTruth,ValueStart,ValueEnd,CryptographyKey,PredefinedPattern,Category
6,f,G,bbbb0000,data/bbbb0000/b.py,1,1,T,,,,,Token
"""
FILE = "data/aaaa0000/a.py"


@pytest.fixture
def labels(tmp_path: Path) -> Labels:
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "aaaa0000.csv").write_text(ROWS)
    (tmp_path / "meta" / "bbbb0000.csv").write_text(OTHER)
    return Labels.read(tmp_path)


def test_a_place_with_one_true_row_is_true_whatever_else_is_said_of_it(labels: Labels) -> None:
    assert (FILE, 2, 2) in labels.true
    assert (FILE, 2, 2) not in labels.false
    assert set(labels.false) == {(FILE, 9, 9)}


def test_a_finding_hits_every_place_whose_lines_it_meets(labels: Labels) -> None:
    assert labels.hit_by((FILE, 6, 6)) == {(FILE, 5, 7)}
    assert labels.hit_by((FILE, 3, 4)) == set()


def test_figures_count_places_once_and_unlabelled_findings_as_false_only_where_strict(labels: Labels) -> None:
    found = score(labels, [(FILE, 2, 2), (FILE, 2, 2), (FILE, 6, 7), (FILE, 9, 9), (FILE, 20, 20)])
    assert (found.hits, found.missed, found.false, found.unlabelled) == (2, 2, 1, 1)
    assert found.precision == pytest.approx(2 / 3)
    assert found.strict_precision == pytest.approx(2 / 4)
    assert found.recall == pytest.approx(2 / 4)
    assert found.by_category["PEM Private Key"] == (1, 0, 0)
    assert found.by_category["Token"] == (0, 1, 1)


def test_core_figures_leave_out_what_few_call_secrets(labels: Labels) -> None:
    found = score(labels, [(FILE, 11, 11)], core=True)
    assert (found.hits, found.missed, found.unlabelled) == (0, 3, 0)


def test_a_fold_counts_only_its_own_repositories(labels: Labels) -> None:
    found = score(labels, [(FILE, 2, 2), (FILE, 20, 20)], frozenset({"bbbb0000"}))
    assert (found.hits, found.missed, found.unlabelled) == (0, 1, 0)
