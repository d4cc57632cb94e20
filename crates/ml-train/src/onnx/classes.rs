//! The names of the classes that a graph tells apart, where it says them.

use super::attributes::Labels;
use super::proto::Model;
use super::tensor::Data;

const LISTS: [&str; 3] = ["classlabels_strings", "classlabels_int64s", "classlabels_ints"];

/// Returns the names that the last operator with such a list has, or of a constant that labels are taken from.
pub(super) fn of_graph(model: &Model) -> Vec<String> {
    let listed = model.graph.nodes.iter().rev().find_map(|node| node.labels(&LISTS));
    if let Some(labels) = listed {
        return labels.into_texts();
    }
    let taken_from = model.graph.nodes.iter().rev().filter(|node| node.operator == "ArrayFeatureExtractor");
    for name in taken_from.filter_map(|node| node.inputs.first()) {
        let constant = model.graph.constants.iter().find(|(constant, _)| constant == name);
        match constant.map(|(_, tensor)| &tensor.data) {
            Some(Data::Texts(texts)) => return texts.clone(),
            Some(Data::Numbers(_, numbers)) => return Labels::Integers(numbers.clone()).into_texts(),
            None => {}
        }
    }
    Vec::new()
}
